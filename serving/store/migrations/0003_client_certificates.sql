-- The subject (RFC 4514) of the TLS certificates that prove a client (RFC 8705 2.1).
CREATE TABLE client_certificate (
  name TEXT PRIMARY KEY REFERENCES client(name), subject TEXT NOT NULL UNIQUE);
