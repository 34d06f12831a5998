"""The proxy in front of the scoring service: an nginx configuration that is shipped and tested."""
