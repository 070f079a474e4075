<?php

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\Schema;

class CreatePostsTable extends Migration
{
    public function up()
    {
        Schema::create('posts', function (Blueprint $table) {
            $table->id();
            $table->foreignId('user_id')->constrained()->cascadeOnDelete();
            $table->foreignId('parent_id')->nullable()->constrained('posts');
            $table->uuid('public_id')->unique();
            $table->string('title', 100);
            $table->char('code', 4)->nullable();
            $table->text('body')->nullable();
            $table->enum('status', ['draft', 'live'])->default('draft');
            $table->boolean('published')->nullable();
            $table->json('meta')->nullable();
            $table->jsonb('settings')->nullable();
            $table->decimal('price', 12, 2)->nullable();
            $table->double('score')->nullable();
            $table->float('ratio', 8, 2)->nullable();
            $table->smallInteger('copies')->nullable();
            $table->tinyInteger('stars')->nullable();
            $table->unsignedBigInteger('views')->default(0);
            $table->date('day')->nullable();
            $table->time('starts')->nullable();
            $table->dateTime('sent_at')->nullable();
            $table->timestampTz('seen_at')->nullable();
            $table->year('year')->nullable();
            $table->ipAddress('ip')->nullable();
            $table->macAddress('mac')->nullable();
            $table->binary('photo')->nullable();
            $table->timestamps();
            $table->softDeletes();
        });
        Schema::create('tags', function (Blueprint $table) {
            $table->increments('id');
            $table->string('label')->unique();
        });
        Schema::create('post_tag', function (Blueprint $table) {
            $table->foreignId('post_id')->constrained()->cascadeOnDelete();
            $table->unsignedInteger('tag_id');
            $table->foreign('tag_id')->references('id')->on('tags');
            $table->primary(['post_id', 'tag_id']);
        });
    }
}
