require "rails"
require "active_record/railtie"
require "active_storage/engine"

# `development` is on SQLite, `production` on PostgreSQL: see database.yml.
class Library < Rails::Application
  config.load_defaults 6.1
  config.root = File.expand_path("..", __dir__)
  config.eager_load = false
  config.secret_key_base = "not secret"
  config.logger = Logger.new(nil)
  config.paths["db/migrate"] = "migrate"
  config.active_record.dump_schema_after_migration = false
  config.active_storage.service = :local
  config.active_storage.service_configurations = {
    "local" => { "service" => "Disk", "root" => config.root.join("storage").to_s }
  }
end
