"""Signing in at the hub (登录): password, second factor, enrolment by a link, and the user's own factors."""
