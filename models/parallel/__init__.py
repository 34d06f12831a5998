"""Work that several workers do at once and together, as against tasks that each stand alone."""
