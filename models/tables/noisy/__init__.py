"""Tables with differential privacy, where the policy of tables says so."""
