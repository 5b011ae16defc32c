from django.db import migrations

from secondlook.clinic.audit.guards import install_guards, remove_guards


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.RunPython(
            lambda apps, editor: install_guards(editor.connection),
            lambda apps, editor: remove_guards(editor.connection),
        ),
    ]
