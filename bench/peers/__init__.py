"""The servers and frameworks that the service is measured against."""
