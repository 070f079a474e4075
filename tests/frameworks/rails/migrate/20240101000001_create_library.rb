class CreateLibrary < ActiveRecord::Migration[6.1]
  def change
    create_table :authors, id: :uuid do |t|
      t.string :name, null: false
    end
    create_table :books do |t|
      t.string :title, null: false, limit: 200
      t.references :author, type: :uuid, foreign_key: true
      t.references :sequel_of, foreign_key: { to_table: :books }
      t.integer :state, null: false, default: 0
      t.text :notes
      t.text :words
      t.boolean :on_loan, null: false, default: false
      t.boolean :recommended
      t.integer :copies, limit: 2
      t.bigint :balance
      t.decimal :price, precision: 12, scale: 2
      t.decimal :weight
      t.float :ratio
      t.date :printed_on
      t.time :opens
      t.datetime :seen_at
      t.column :token, :uuid
      t.json :details
      t.binary :scan
      t.timestamps
      t.index [:title, :author_id], unique: true
      t.index :seen_at, where: "on_loan"
      t.check_constraint "price > -1000000", name: "price_sane"
    end
    create_table :tags do |t|
      t.string :label, null: false, index: { unique: true }
    end
    create_join_table :books, :tags do |t|
      t.index [:book_id, :tag_id], unique: true
    end
    create_table :comments do |t|
      t.references :commentable, polymorphic: true, null: false
      t.string :type
      t.text :body
    end
  end
end
