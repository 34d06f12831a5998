// Starts Swagger UI. A request can be tried only where the page says so: on a service over an invented city.
"use strict";
const settings = document.body.dataset;
const METHODS = ["get", "post", "put", "delete"];
SwaggerUIBundle({
  url: settings.document,
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  supportedSubmitMethods: settings.tryIt === "yes" ? METHODS : [],
  validatorUrl: null,
});
