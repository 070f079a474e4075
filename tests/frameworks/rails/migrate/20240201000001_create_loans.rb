class CreateLoans < ActiveRecord::Migration[6.1]
  def change
    create_table :loans, primary_key: :number do |t|
      t.references :book, null: false, foreign_key: { on_delete: :cascade }
      t.string :reader, null: false, default: ""
      t.timestamps precision: 3
    end
  end
end
