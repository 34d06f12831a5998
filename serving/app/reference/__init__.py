"""The rendered reference of the API at `/docs`: Swagger UI from a package, so that it works without the internet."""
