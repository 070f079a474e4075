require_relative "config/environment"

class ApplicationRecord < ActiveRecord::Base
  self.abstract_class = true
end

class Author < ApplicationRecord
  has_many :books
end

class Book < ApplicationRecord
  enum state: { draft: 0, printed: 1, lost: 7 }
  serialize :words, Array
  belongs_to :author, optional: true
  belongs_to :sequel_of, class_name: "Book", optional: true
  has_and_belongs_to_many :tags
  has_many :comments, as: :commentable
  has_many :loans
  has_one_attached :cover
  has_many_attached :pages
end

class Tag < ApplicationRecord
  has_and_belongs_to_many :books
end

class Comment < ApplicationRecord
  belongs_to :commentable, polymorphic: true
end

# In the table of Comment.
class Praise < Comment
end

class Loan < ApplicationRecord
  belongs_to :book
end
