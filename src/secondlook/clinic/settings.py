"""Django's settings, derived from the configuration in the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from secondlook.clinic.accounts.mail import choose_mail
from secondlook.clinic.configuration import (
    choose_database,
    choose_store,
    load_configuration,
    read_files_key,
    read_secret,
    read_secret_key,
)
from secondlook.clinic.logs import configure_logs

CONFIGURATION = load_configuration()
PRODUCTION = CONFIGURATION.mode == "production"

DEBUG = False
SECRET_KEY = read_secret_key(CONFIGURATION)
FILES_KEY = read_files_key(CONFIGURATION)
ALLOWED_HOSTS = list(CONFIGURATION.allowed_hosts)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "csp",
    "ninja",
    "secondlook.clinic",
    "secondlook.clinic.accounts",
    "secondlook.clinic.cases",
    "secondlook.clinic.api",
    "secondlook.clinic.files",
    "secondlook.clinic.jobs",
    "secondlook.clinic.audit",
    "secondlook.clinic.keeping",
    "secondlook.clinic.timeline",
    "secondlook.clinic.reports",
]
DATABASES: dict[str, Any] = {"default": choose_database(CONFIGURATION)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"

MIDDLEWARE = [
    "secondlook.clinic.middleware.answer_health",
    "django.middleware.security.SecurityMiddleware",
    "secondlook.clinic.middleware.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "secondlook.clinic.middleware.refuse_unread_bodies",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "secondlook.clinic.api.middleware.read_token",
    "allauth.account.middleware.AccountMiddleware",
    "secondlook.clinic.accounts.middleware.RulesMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "secondlook.clinic.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],  # ours go before those of the libraries
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# People: log-in by e-mail address and password, second factors, sessions.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"{VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {
        "NAME": f"{VALIDATION}.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "first_name", "last_name")},
    },
    {"NAME": f"{VALIDATION}.CommonPasswordValidator"},
    {"NAME": "secondlook.clinic.accounts.passwords.GuessableValidator"},
    {"NAME": "secondlook.clinic.accounts.passwords.LeakedValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "secondlook.clinic.accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {"signup": "secondlook.clinic.accounts.forms.SignUpForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = False  # a log-in ends with the browser, where several share a machine
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if PRODUCTION else "http"
ACCOUNT_RATE_LIMITS = {"login": "20/m/ip", "signup": "10/m/ip"}
MFA_ADAPTER = "secondlook.clinic.accounts.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # whoever has a second factor may change their address; only proven ones log in
MFA_TOTP_ISSUER = "Secondlook"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION  # on one's own machine, `localhost` is good enough
USERSESSIONS_TRACK_ACTIVITY = True
# Failures count by address and e-mail address together, so that nobody can lock out others.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_CALLABLE = "secondlook.clinic.accounts.lockout.read_email"
AXES_LOCKOUT_CALLABLE = "secondlook.clinic.accounts.lockout.refuse_locked"
AXES_SENSITIVE_PARAMETERS = ["login", "email", "username", "ip_address"]
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
DEFAULT_FROM_EMAIL = SERVER_EMAIL = CONFIGURATION.email_from
MAIL = choose_mail(read_secret(CONFIGURATION, "email_url"))
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = MAIL.backend, MAIL.host, MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = MAIL.starttls, MAIL.tls, 10

# In the database, so that limits hold for all processes together.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        # It counts failed attempts and remembers used codes: by Django's 300, whoever fails often enough has it forget.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
SESSION_IDLE_S = CONFIGURATION.session_idle_minutes * 60
SESSION_COOKIE_AGE = CONFIGURATION.session_hours * 3600
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

LARGEST_PICTURE_BYTES = 30 * 10**6
LARGEST_BODY_BYTES = LARGEST_PICTURE_BYTES + 10**6
# A larger body, and a larger picture in it, lies encrypted in a file without a name while its request lasts.
FILE_UPLOAD_MAX_MEMORY_SIZE = 3 * 2**20
FILE_UPLOAD_HANDLERS = ["secondlook.clinic.files.transit.TransitUploadHandler"]

LANGUAGE_CODE = CONFIGURATION.language
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [CONFIGURATION.data_folder / "locale"]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = CONFIGURATION.data_folder / "static"
STORAGES = {
    "staticfiles": {"BACKEND": "secondlook.clinic.storage.ModuleStorage"},
    "pictures": choose_store(CONFIGURATION),
}

# No inline script and no inline style; bars and overlays are SVG, placed by attributes.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "secondlook.clinic.refusals.refuse_forged"
X_FRAME_OPTIONS = "DENY"

SECURE_SSL_REDIRECT = PRODUCTION
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = PRODUCTION
# Browsers take a cookie of this name from this host alone, over HTTPS alone.
HOST_PREFIX = "__Host-" if PRODUCTION else ""
SESSION_COOKIE_NAME = f"{HOST_PREFIX}session"
CSRF_COOKIE_NAME = f"{HOST_PREFIX}csrf"
LANGUAGE_COOKIE_NAME = f"{HOST_PREFIX}language"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION

LOGGING = configure_logs(CONFIGURATION.log_level.upper())
