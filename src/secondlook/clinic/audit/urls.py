"""Addresses of the audit log."""

from django.urls import path

from secondlook.clinic.audit import views

app_name = "audit"
urlpatterns = [
    path("", views.show_log, name="log"),
    path("log.csv", views.export_log, name="export"),
    path("verify/", views.verify_log, name="verify"),
]
