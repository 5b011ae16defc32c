"""Django's settings, derived from the configuration in the environment."""

from typing import Any

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from secondlook.clinic.configuration import (
    choose_database,
    choose_store,
    load_configuration,
    read_files_key,
    read_secret_key,
)

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
    "csp",
    "ninja",
    "secondlook.clinic",
    "secondlook.clinic.accounts",
    "secondlook.clinic.cases",
    "secondlook.clinic.files",
    "secondlook.clinic.jobs",
    "secondlook.clinic.audit",
    "secondlook.clinic.keeping",
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
    "secondlook.clinic.middleware.refuse_large_bodies",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "secondlook.clinic.accounts.middleware.RulesMiddleware",
]
ROOT_URLCONF = "secondlook.clinic.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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

LARGEST_PICTURE_BYTES = 30 * 10**6
LARGEST_BODY_BYTES = LARGEST_PICTURE_BYTES + 10**6
# Pictures of patients stay in memory and never touch the disk, whatever their size.
FILE_UPLOAD_MAX_MEMORY_SIZE = LARGEST_BODY_BYTES
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

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
CSRF_COOKIE_SECURE = PRODUCTION
LANGUAGE_COOKIE_SECURE = PRODUCTION
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION

# Messages name routes and faults; they never hold a file's name or content.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        # A refusal is the asker's matter; only our own failures are logged.
        "django.request": {"level": "ERROR"},
        "secondlook": {"handlers": ["stderr"], "level": CONFIGURATION.log_level.upper(), "propagate": False},
    },
}
