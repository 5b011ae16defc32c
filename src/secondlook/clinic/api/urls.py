"""Addresses of the page of tokens."""

from django.urls import path

from secondlook.clinic.api.views import revoke, show_tokens

app_name = "tokens"
urlpatterns = [
    path("", show_tokens, name="tokens"),
    path("<str:key>/revoke/", revoke, name="revoke_token"),
]
