"""The scorecard that every booster is measured against: what it costs to be readable."""
