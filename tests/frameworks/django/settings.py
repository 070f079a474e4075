"""A small library. `default` is where the application is; `old` is where it comes from."""

import os

SECRET_KEY = "not secret"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "library",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
USE_TZ = True
TIME_ZONE = "Europe/Berlin"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

old = {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["SQLITE_FILE"]}
# The rest is in libpq's variables: PGHOST, PGPORT, PGUSER, PGPASSWORD.
new = {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]}
DATABASES = {"default": new, "old": old}
