//! The upselling domain's own program: derives offers from other domains' masked views.
