"""HTTP building blocks that every feature stands on."""
