"""The address by which the people of the demo enter."""

from django.urls import path

from secondlook.clinic.demo.views import enter

app_name = "demo"
urlpatterns = [path("<str:role>/<str:token>/", enter, name="enter")]
