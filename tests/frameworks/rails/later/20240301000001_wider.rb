class Wider < ActiveRecord::Migration[6.1]
  def change
    change_column :books, :title, :string, limit: 250
    change_column :books, :copies, :integer
    add_column :books, :shelf, :string, null: false, default: "none"
    add_index :books, :printed_on
    add_index :loans, [:reader, :number], unique: true
    add_check_constraint :books, "copies >= -40000", name: "copies_sane"
    add_reference :comments, :author, type: :uuid, foreign_key: true
  end
end
