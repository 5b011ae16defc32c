"""Addresses of reports."""

from django.urls import path

from secondlook.clinic.reports import views

app_name = "reports"
urlpatterns = [
    path("visits/<str:key>.pdf", views.report_visit, name="visit"),
    path("lesions/<str:key>.pdf", views.report_lesion, name="lesion"),
]
