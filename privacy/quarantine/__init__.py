"""The quarantine: rejected rows wait here until their source unit has corrected them."""
