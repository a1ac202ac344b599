//! Every rule that a finding may name.
