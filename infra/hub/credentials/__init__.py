"""What people sign in with (凭据): passwords, TOTP, passkeys, recovery codes; in a file that the hub alone writes."""
