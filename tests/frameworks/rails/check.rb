# check.rb fill | objects FILE | insert: what the application does with its database.

require_relative "models"

TEXTS = ["", "Ünïcödé 漢字 😀", "it's \"quoted\"\\\n\ttab", "NULL", "{\"not\": \"json\"", "12"]
JSONS = [nil, {}, [], { "b" => [1, 2.5, nil], "a" => { "ü" => "\u2028" } }, "text", 5, 0.1, true, ""]
MOMENTS = [nil, Time.utc(2024, 2, 29, 23, 59, 59, 999_999), Time.utc(1969, 12, 31, 23), Time.utc(9999, 12, 30, 1, 2, 3, 4)]
PRICES = [nil, "0", "0.01", "-12.30", "9999999999.99"]

def of(values, n) = values[n % values.size]

def book(n, before, author)
  Book.new(
    title: "#{n} #{of(TEXTS, n)}", author: author, sequel_of: n % 3 == 0 ? nil : before,
    state: of(%w[draft printed lost], n), notes: of([nil, *TEXTS], n), words: of([[], ["a", "ü"]], n),
    on_loan: n.even?, recommended: of([nil, true, false], n), copies: of([nil, -32_768, 32_767], n),
    balance: of([-2**63, 0, 2**53 + 1, nil], n), price: of(PRICES, n), weight: of([nil, "0.001", "12345.6789"], n),
    ratio: of([nil, 0.1, -1e-300, 3.0], n), printed_on: of([nil, Date.new(1, 1, 1), Date.new(9999, 12, 31)], n),
    opens: of([nil, "00:00", "23:59:59.999999", "08:30"], n), seen_at: of(MOMENTS, n),
    token: n % 4 == 0 ? nil : format("%08x-0000-4000-8000-%012x", n * 7919, n), details: of(JSONS, n),
    scan: of([nil, "", "\x00\xff\x10'".b, (0..255).to_a.pack("C*")], n)
  )
end

def fill(first, count)
  author = before = nil
  first.upto(first + count - 1) do |n|
    if n % 5 == 1
      author = Author.create!(id: format("%08x-ffff-4fff-8fff-%012x", n * 104_729, n), name: of(TEXTS, n))
    end
    before = book(n, before, of([author, nil], n))
    before.tags << Tag.new(label: "#{n} #{of(TEXTS, n)}")
    before.save!
    if n % 4 == 1
      before.cover.attach(io: StringIO.new("\x89PNG#{n}"), filename: "größe #{n}.png", content_type: "image/png")
      before.pages.attach(io: StringIO.new("page #{n}"), filename: "p#{n}.txt")
    end
    before.comments << Praise.new(body: of(TEXTS, n))
    Comment.create!(commentable: Tag.last, body: of([nil, *TEXTS], n))
    before.loans.create!(reader: of(TEXTS, n))
  end
  # An id that was given out once.
  Tag.create!(label: "gone").destroy!
end

def shown(value)
  case value
  when Time, ActiveSupport::TimeWithZone then value.utc.iso8601(9)
  when BigDecimal then value.to_s
  when String then value.valid_encoding? && value.encoding != Encoding::BINARY ? value : value.unpack1("H*")
  else value.inspect
  end
end

# Tables that are Rails' own are not the application's rows.
def models
  join = Class.new(ApplicationRecord) { self.table_name = "books_tags" }
  [Author, Book, Tag, Comment, Loan, join, ActiveStorage::Blob, ActiveStorage::Attachment, ActiveStorage::VariantRecord]
end

case ARGV[0]
when "fill" then fill(1, Integer(ENV["ROWS"]))
when "objects"
  lines = models.flat_map do |model|
    model.all.map { |row| "#{model.table_name} #{row.attributes.transform_values { |v| shown(v) }.inspect}" }
  end
  File.write(ARGV[1], lines.sort.join("\n") + "\n")
  puts "#{models.size} tables, #{lines.size} objects"
when "insert"
  before = models.map(&:count)
  most = Tag.maximum(:id)
  fill(5000, 20)
  first = Tag.where("id > ?", most).minimum(:id)
  raise "#{first}: id #{most + 1} was given out before" unless first == most + 2
  models.zip(before).each do |model, count|
    next if model == ActiveStorage::VariantRecord
    raise "nothing new in #{model.table_name}" unless model.count > count
  end
  raise "an attachment is gone" unless Book.order(:id).first.cover.download.start_with?("\x89PNG".b)
  environment = ActiveRecord::InternalMetadata[:environment]
  raise "environment is #{environment}" unless environment == "production"
  puts "first new id #{first}, the largest was #{most}; environment #{environment}"
end
