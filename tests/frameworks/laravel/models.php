<?php

use Illuminate\Database\Eloquent\Model;

class User extends Model
{
    protected $guarded = [];
    protected $casts = ['is_admin' => 'boolean', 'email_verified_at' => 'datetime'];
}

class Post extends Model
{
    protected $guarded = [];
    protected $casts = [
        'published' => 'boolean', 'meta' => 'array', 'settings' => 'array', 'day' => 'date:Y-m-d', 'sent_at' => 'datetime',
        'seen_at' => 'datetime', 'price' => 'decimal:2', 'score' => 'double', 'ratio' => 'double',
    ];

    public function tags()
    {
        return $this->belongsToMany(Tag::class);
    }
}

class Tag extends Model
{
    protected $guarded = [];
    public $timestamps = false;
}

class Notification extends Model
{
    protected $guarded = [];
    protected $keyType = 'string';
    public $incrementing = false;
    protected $casts = ['data' => 'array', 'read_at' => 'datetime'];
}

class Job extends Model
{
    protected $guarded = [];
    public $timestamps = false;
}
