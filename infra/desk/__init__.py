"""The front desk (前台): one small process that knows who signed in and writes down what they request."""
