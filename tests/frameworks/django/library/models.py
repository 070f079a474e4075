"""Every field type of Django that both databases have, and the relations between tables."""

import uuid

from django.db import models
from django.db.models.functions import Lower


class Country(models.Model):
    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=80, unique=True)


class Author(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=200)
    country = models.ForeignKey(Country, models.SET_NULL, null=True)
    friends = models.ManyToManyField("self")

    class Meta:
        db_table = "Library Author"


class Tag(models.Model):
    label = models.SlugField(unique=True, allow_unicode=True)


class Book(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft"
        PRINTED = "printed"

    title = models.CharField(max_length=200, db_index=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    sequel_of = models.ForeignKey("self", models.CASCADE, null=True, related_name="sequels")
    authors = models.ManyToManyField(Author, through="Authorship")
    tags = models.ManyToManyField(Tag)
    notes = models.TextField(blank=True)
    email = models.EmailField(blank=True)
    homepage = models.URLField(null=True)
    cover = models.FileField(upload_to="covers", null=True)
    on_loan = models.BooleanField(default=False)
    recommended = models.BooleanField(null=True)
    copies = models.PositiveSmallIntegerField(default=1)
    shelf = models.IntegerField(default=0)
    pages = models.PositiveIntegerField(null=True)
    visits = models.PositiveBigIntegerField(default=0)
    score = models.IntegerField(null=True)
    balance = models.BigIntegerField(default=0)
    weight = models.FloatField(null=True)
    price = models.DecimalField(max_digits=15, decimal_places=4, null=True)
    printed_on = models.DateField(null=True)
    opens = models.TimeField(null=True)
    changed = models.DateTimeField()
    reading_time = models.DurationField(null=True)
    isbn_key = models.UUIDField(null=True, unique=True)
    details = models.JSONField(null=True)
    scan = models.BinaryField(null=True)
    seen_from = models.GenericIPAddressField(null=True)
    double = models.GeneratedField(
        expression=models.F("copies") * 2, output_field=models.IntegerField(), db_persist=True
    )

    class Meta:
        ordering = ["id"]
        unique_together = [("title", "state", "sequel_of")]
        indexes = [
            models.Index(
                fields=["changed"], name="book_on_loan", condition=models.Q(on_loan=True)
            ),
            models.Index(Lower("title"), name="book_lower_title"),
            models.Index(fields=["shelf", "-copies"], name="book_place"),
            models.Index(fields=["printed_on"], name="book_printed_on"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(price__gte=-1_000_000_000), name="book_price_sane"
            ),
            models.CheckConstraint(condition=models.Q(pages__lt=100_000), name="book_pages"),
            models.UniqueConstraint(
                fields=["cover"], condition=models.Q(on_loan=True), name="one_loan_per_cover"
            ),
            # From here on in the third migration.
            models.CheckConstraint(condition=models.Q(shelf__gt=-40_000), name="book_shelf"),
            models.UniqueConstraint(fields=["title", "isbn_key"], name="book_title_key"),
        ]


class Authorship(models.Model):
    book = models.ForeignKey(Book, models.CASCADE)
    author = models.ForeignKey(Author, models.PROTECT)
    position = models.PositiveSmallIntegerField()

    class Meta:
        unique_together = [("book", "author")]


class Loan(models.Model):
    """The first table of the second migration."""

    book = models.OneToOneField(Book, models.CASCADE, primary_key=True)
    reader = models.ForeignKey("auth.User", models.CASCADE, related_name="loans")
    until = models.DateField()
