"""The client library for banks: clients of the scoring service, and the verification of its webhooks."""
