<?php
// The connection, and the migrator that `php artisan migrate` uses, without the rest of an application.

require_once 'Illuminate/autoload.php';

use Illuminate\Container\Container;
use Illuminate\Database\Capsule\Manager;
use Illuminate\Database\Migrations\DatabaseMigrationRepository;
use Illuminate\Database\Migrations\Migrator;
use Illuminate\Events\Dispatcher;
use Illuminate\Filesystem\Filesystem;
use Illuminate\Support\Facades\Facade;

date_default_timezone_set('UTC');

$capsule = new Manager(new Container());
if (getenv('DB_CONNECTION') === 'pgsql') {
    $capsule->addConnection([
        'driver' => 'pgsql', 'host' => getenv('PGHOST'), 'port' => getenv('PGPORT'), 'database' => getenv('PGDATABASE'),
        'username' => getenv('PGUSER'), 'password' => getenv('PGPASSWORD'), 'charset' => 'utf8', 'schema' => 'public',
    ]);
} else {
    touch(getenv('SQLITE_FILE'));
    $capsule->addConnection(['driver' => 'sqlite', 'database' => getenv('SQLITE_FILE'), 'foreign_key_constraints' => true]);
}
$capsule->setEventDispatcher(new Dispatcher($capsule->getContainer()));
$capsule->setAsGlobal();
$capsule->bootEloquent();
$container = $capsule->getContainer();
$container->instance('db', $capsule->getDatabaseManager());
$container->instance('db.schema', $capsule->getConnection()->getSchemaBuilder());
Facade::setFacadeApplication($container);

function migrator(): Migrator
{
    global $capsule;
    $manager = $capsule->getDatabaseManager();
    $repository = new DatabaseMigrationRepository($manager, 'migrations');
    if (!$repository->repositoryExists()) {
        $repository->createRepository();
    }
    return new Migrator($repository, $manager, new Filesystem());
}
