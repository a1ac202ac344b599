//! Input port to output ports: guard, mask, exactly once; bad records to quarantine.
