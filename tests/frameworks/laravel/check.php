<?php
// check.php migrate | pending | fill | objects FILE | insert: what the application does with its database.

require __DIR__ . '/database.php';
require __DIR__ . '/models.php';

use Illuminate\Database\Capsule\Manager as DB;
use Illuminate\Support\Str;

const TEXTS = ['', 'Ünïcödé 漢字 😀', "it's \"quoted\"\\\n\ttab", 'NULL', '{"not": "json"', '12'];
const JSONS = [null, [], ['b' => [1, 2.5, null], 'a' => ['ü' => "\u{2028}"]], 'text', 5, 0.1, true, ''];
const MOMENTS = [null, '2024-02-29 23:59:59', '1969-12-31 23:00:00', '9999-12-30 01:02:03'];
const OWN = ['users', 'posts', 'tags', 'post_tag', 'notifications', 'jobs', 'failed_jobs', 'password_resets'];

function of(array $values, int $n)
{
    return $values[$n % count($values)];
}

function uuid(int $n): string
{
    return sprintf('%08x-0000-4000-8000-%012x', $n * 7919, $n);
}

function post(int $n, User $user, ?Post $before): Post
{
    return Post::create([
        'user_id' => $user->id, 'parent_id' => $n % 3 ? optional($before)->id : null, 'public_id' => uuid($n),
        'title' => "$n " . of(TEXTS, $n), 'code' => of([null, 'ab', 'abcd'], $n), 'body' => of(array_merge([null], TEXTS), $n),
        'status' => of(['draft', 'live'], $n), 'published' => of([null, true, false], $n), 'meta' => of(JSONS, $n),
        'settings' => of(JSONS, $n + 1), 'price' => of([null, '0.00', '0.01', '-12.30', '9999999999.99'], $n),
        'score' => of([null, 0.1, -1e-300, 3.0], $n), 'ratio' => of([null, 0.25, 12.5], $n), 'copies' => of([null, -32768, 32767], $n),
        'stars' => of([null, 5, -1], $n), 'views' => of([0, 2 ** 53 + 1, PHP_INT_MAX], $n),
        'day' => of([null, '0001-01-01', '9999-12-31'], $n), 'starts' => of([null, '00:00:00', '23:59:59'], $n),
        'sent_at' => of(MOMENTS, $n), 'seen_at' => of(MOMENTS, $n + 1), 'year' => of([null, 1901, 2155], $n),
        'ip' => of([null, '10.0.0.1', '2001:db8::1'], $n), 'mac' => of([null, '08:00:2b:01:02:03'], $n),
        'deleted_at' => of([null, '2024-01-01 00:00:00'], $n),
    ]);
}

function photo(Post $post, ?string $bytes): void
{
    // Bytes need a type of their own in both databases.
    $statement = DB::connection()->getPdo()->prepare('UPDATE posts SET photo = ? WHERE id = ?');
    $statement->bindValue(1, $bytes, $bytes === null ? PDO::PARAM_NULL : PDO::PARAM_LOB);
    $statement->bindValue(2, $post->id, PDO::PARAM_INT);
    $statement->execute();
}

function fill(int $first, int $count): void
{
    $user = $before = null;
    for ($n = $first; $n < $first + $count; $n++) {
        if ($user === null || $n % 5 === 1) {
            $user = User::create([
                'name' => of(TEXTS, $n), 'email' => "reader$n@example.com", 'password' => 'x', 'is_admin' => $n % 2 === 0,
                'email_verified_at' => of(MOMENTS, $n), 'remember_token' => of([null, 'token'], $n),
            ]);
        }
        $before = post($n, $user, $before);
        photo($before, of([null, '', "\x00\xff\x10'", implode('', array_map('chr', range(0, 255)))], $n));
        $before->tags()->attach(Tag::create(['label' => "$n " . of(TEXTS, $n)]));
        Notification::create([
            'id' => uuid($n), 'type' => 'Note', 'notifiable_type' => 'User', 'notifiable_id' => $user->id,
            'data' => of(JSONS, $n) ?? [], 'read_at' => of(MOMENTS, $n),
        ]);
        Job::create(['queue' => 'default', 'payload' => '{}', 'attempts' => 0, 'available_at' => 1763600000, 'created_at' => 1763600000]);
        DB::table('failed_jobs')->insert(['uuid' => uuid($n), 'connection' => 'database', 'queue' => 'default', 'payload' => '{}', 'exception' => of(TEXTS, $n)]);
        DB::table('password_resets')->insert(['email' => "reader$n@example.com", 'token' => 't', 'created_at' => of(MOMENTS, $n)]);
        DB::table('sessions')->insert(['id' => "s$n", 'payload' => 'x', 'last_activity' => 1763600000]);
        DB::table('cache')->insert(['key' => "k$n", 'value' => 's:1:"a";', 'expiration' => 1763600000]);
    }
    // An id that was given out once.
    Tag::create(['label' => "gone $first"])->delete();
}

function shown($value): string
{
    if (is_resource($value)) {
        $value = 'bytes ' . bin2hex(stream_get_contents($value));
    }
    return var_export(is_object($value) ? (string) $value : $value, true);
}

/** The rows of a table as the models give them, by column. */
function rows(string $table): array
{
    $models = ['users' => User::class, 'posts' => Post::class, 'tags' => Tag::class, 'notifications' => Notification::class, 'jobs' => Job::class];
    $lines = [];
    $all = isset($models[$table]) ? $models[$table]::all() : DB::table($table)->get();
    foreach ($all as $row) {
        $values = $row instanceof Illuminate\Database\Eloquent\Model ? cast($row) : (array) $row;
        ksort($values);
        $lines[] = "$table " . implode(', ', array_map(fn ($name) => "$name=" . shown($values[$name]), array_keys($values)));
    }
    return $lines;
}

/** What the casts make of a row; what has none is as the driver gives it. */
function cast($row): array
{
    $values = [];
    foreach (array_keys($row->getAttributes()) as $name) {
        $value = $row->getAttribute($name);
        if ($name === 'photo') {
            $value = is_string($value) ? 'bytes ' . bin2hex($value) : $value;
        } elseif ($name === 'code' && $value !== null) {
            // char(4) is filled up with blanks in PostgreSQL.
            $value = rtrim($value);
        } elseif (is_array($value)) {
            $value = json_encode(sorted($value));
        }
        $values[$name] = $value;
    }
    return $values;
}

function sorted(array $value): array
{
    $value = array_map(fn ($part) => is_array($part) ? sorted($part) : $part, $value);
    if (array_keys($value) !== range(0, count($value) - 1)) {
        ksort($value);
    }
    return $value;
}

function wrong(string $text): void
{
    echo $text, "\n";
    exit(1);
}

function count_of(string $table): int
{
    return DB::table($table)->count();
}

switch ($argv[1]) {
    case 'migrate':
        migrator()->run([__DIR__ . '/migrate']);
        break;
    case 'pending':
        $migrator = migrator();
        $pending = array_diff(array_keys($migrator->getMigrationFiles([__DIR__ . '/migrate'])), $migrator->getRepository()->getRan());
        if ($pending) {
            wrong('pending: ' . implode(', ', $pending));
        }
        echo count($migrator->getRepository()->getRan()), " migrations, none is pending\n";
        break;
    case 'fill':
        fill(1, (int) getenv('ROWS'));
        break;
    case 'objects':
        $lines = array_merge(...array_map('rows', OWN));
        sort($lines);
        file_put_contents($argv[2], implode("\n", $lines) . "\n");
        echo count(OWN), ' tables, ', count($lines), " objects\n";
        break;
    case 'insert':
        $before = array_map('count_of', OWN);
        $most = Tag::max('id');
        fill(5000, 20);
        $first = Tag::where('id', '>', $most)->min('id');
        if ($first !== $most + 2) {
            wrong("$first: id " . ($most + 1) . ' was given out before');
        }
        foreach (OWN as $at => $table) {
            if (count_of($table) <= $before[$at]) {
                wrong("nothing new in $table");
            }
        }
        if (Post::where('meta->b', '!=', null)->count() === 0) {
            wrong('JSON cannot be asked');
        }
        echo "first new id $first, the largest was $most\n";
        break;
}
