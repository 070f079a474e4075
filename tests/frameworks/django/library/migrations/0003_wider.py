from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('library', '0002_loan'),
    ]

    operations = [
        migrations.AlterField(
            model_name='author',
            name='name',
            field=models.CharField(max_length=200),
        ),
        migrations.AlterField(
            model_name='book',
            name='shelf',
            field=models.IntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name='book',
            index=models.Index(fields=['printed_on'], name='book_printed_on'),
        ),
        migrations.AddConstraint(
            model_name='book',
            constraint=models.CheckConstraint(condition=models.Q(('shelf__gt', -40000)), name='book_shelf'),
        ),
        migrations.AddConstraint(
            model_name='book',
            constraint=models.UniqueConstraint(fields=('title', 'isbn_key'), name='book_title_key'),
        ),
    ]
