"""The address of the first page."""

from django.urls import path

from secondlook.clinic.home.views import show_home

app_name = "home"
urlpatterns = [path("", show_home, name="home")]
