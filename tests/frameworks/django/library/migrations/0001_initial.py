import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Country',
            fields=[
                ('code', models.CharField(max_length=2, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.SlugField(allow_unicode=True, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='Author',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('friends', models.ManyToManyField(to='library.author')),
                ('country', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to='library.country')),
            ],
            options={
                'db_table': 'Library Author',
            },
        ),
        migrations.CreateModel(
            name='Authorship',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='library.author')),
            ],
        ),
        migrations.CreateModel(
            name='Book',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(db_index=True, max_length=200)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('printed', 'Printed')], default='draft', max_length=10)),
                ('notes', models.TextField(blank=True)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('homepage', models.URLField(null=True)),
                ('cover', models.FileField(null=True, upload_to='covers')),
                ('on_loan', models.BooleanField(default=False)),
                ('recommended', models.BooleanField(null=True)),
                ('copies', models.PositiveSmallIntegerField(default=1)),
                ('shelf', models.SmallIntegerField(default=0)),
                ('pages', models.PositiveIntegerField(null=True)),
                ('visits', models.PositiveBigIntegerField(default=0)),
                ('score', models.IntegerField(null=True)),
                ('balance', models.BigIntegerField(default=0)),
                ('weight', models.FloatField(null=True)),
                ('price', models.DecimalField(decimal_places=4, max_digits=15, null=True)),
                ('printed_on', models.DateField(null=True)),
                ('opens', models.TimeField(null=True)),
                ('changed', models.DateTimeField()),
                ('reading_time', models.DurationField(null=True)),
                ('isbn_key', models.UUIDField(null=True, unique=True)),
                ('details', models.JSONField(null=True)),
                ('scan', models.BinaryField(null=True)),
                ('seen_from', models.GenericIPAddressField(null=True)),
                ('double', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(models.F('copies'), '*', models.Value(2)), output_field=models.IntegerField())),
                ('authors', models.ManyToManyField(through='library.Authorship', to='library.author')),
                ('sequel_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sequels', to='library.book')),
                ('tags', models.ManyToManyField(to='library.tag')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.AddField(
            model_name='authorship',
            name='book',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='library.book'),
        ),
        migrations.AlterUniqueTogether(
            name='authorship',
            unique_together={('book', 'author')},
        ),
        migrations.AddIndex(
            model_name='book',
            index=models.Index(condition=models.Q(('on_loan', True)), fields=['changed'], name='book_on_loan'),
        ),
        migrations.AddIndex(
            model_name='book',
            index=models.Index(django.db.models.functions.text.Lower('title'), name='book_lower_title'),
        ),
        migrations.AddIndex(
            model_name='book',
            index=models.Index(fields=['shelf', '-copies'], name='book_place'),
        ),
        migrations.AddConstraint(
            model_name='book',
            constraint=models.CheckConstraint(condition=models.Q(('price__gte', -1000000000)), name='book_price_sane'),
        ),
        migrations.AddConstraint(
            model_name='book',
            constraint=models.CheckConstraint(condition=models.Q(('pages__lt', 100000)), name='book_pages'),
        ),
        migrations.AddConstraint(
            model_name='book',
            constraint=models.UniqueConstraint(condition=models.Q(('on_loan', True)), fields=('cover',), name='one_loan_per_cover'),
        ),
        migrations.AlterUniqueTogether(
            name='book',
            unique_together={('title', 'state', 'sequel_of')},
        ),
    ]
