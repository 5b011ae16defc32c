"""What the command line calls for people."""

from secondlook.clinic.keeping.commands import open_site
from secondlook.errors import InputError


def forget_factors(email: str) -> str:
    """Forget somebody's second factors.

    Raises:
        InputError: Nobody has that address.
    """
    with open_site():
        from secondlook.clinic.accounts.models import User
        from secondlook.clinic.accounts.services import forget_factors

        try:
            user = User.objects.get_by_natural_key(email.strip())
        except User.DoesNotExist as error:
            raise InputError("Expected the e-mail address of somebody with an account; nobody has that one.") from error
        count = forget_factors(user)
    return f"Forgot {count} second factors and ended all sessions; a new one is asked for at the next log-in."
