<?php

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\Schema;

class WidenPostsTable extends Migration
{
    public function up()
    {
        Schema::table('posts', function (Blueprint $table) {
            $table->string('slug')->default('none');
            $table->foreignId('editor_id')->nullable()->constrained('users');
            $table->index(['status', 'day']);
            $table->dropColumn('mac');
        });
        Schema::table('tags', function (Blueprint $table) {
            $table->boolean('hidden')->default(false);
        });
        Schema::create('likes', function (Blueprint $table) {
            $table->foreignId('post_id')->constrained();
            $table->foreignId('user_id')->constrained();
            $table->unique(['post_id', 'user_id']);
        });
    }
}
