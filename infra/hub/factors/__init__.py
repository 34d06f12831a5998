"""The user's factors (登录方式): passkeys, TOTP, recovery codes and the password, changed by their person alone."""
