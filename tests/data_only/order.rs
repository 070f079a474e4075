//! Rows of tables whose foreign keys stay: parents before children, whatever the keys are like.

use litelift::error::ErrorKind;
use litelift::options::OnExisting;

use super::refusals::Case;
use super::roles::{self, WRITER, as_role, as_writer};
use crate::resume::process::{Running, run, transfer};
use crate::support::generate::Random;
use crate::support::{pg, transfer as transfers};

/// A diamond with a chain below it, a table that refers to itself, and two that refer to each other by
/// keys of which one can wait. Names are such that no order by name is right.
const TABLES: &str = "
    CREATE TABLE z_root (id int PRIMARY KEY, name text);
    CREATE TABLE y_left (id int PRIMARY KEY, root int NOT NULL REFERENCES z_root);
    CREATE TABLE x_right (id int PRIMARY KEY, root int NOT NULL REFERENCES z_root);
    CREATE TABLE a_bottom (id int PRIMARY KEY, l int REFERENCES y_left, r int REFERENCES x_right);
    CREATE TABLE \"A leaf\" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, bottom int REFERENCES a_bottom);
    CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, leaf int REFERENCES \"A leaf\");
    CREATE TABLE hen (id int PRIMARY KEY, egg int);
    CREATE TABLE egg (id int PRIMARY KEY, hen int NOT NULL REFERENCES hen);
    ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg DEFERRABLE;
    CREATE INDEX tree_leaf ON tree (leaf);";

const ROWS: &str = "
    CREATE TABLE z_root (id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO z_root VALUES (1, 'a'), (2, 'b');
    CREATE TABLE y_left (id INTEGER PRIMARY KEY, root INT); INSERT INTO y_left VALUES (1, 2), (2, 1);
    CREATE TABLE x_right (id INTEGER PRIMARY KEY, root INT); INSERT INTO x_right VALUES (5, 2);
    CREATE TABLE a_bottom (id INTEGER PRIMARY KEY, l INT, r INT); INSERT INTO a_bottom VALUES (1, 2, 5), (2, NULL, 5);
    CREATE TABLE \"A leaf\" (id INTEGER PRIMARY KEY, bottom INT); INSERT INTO \"A leaf\" VALUES (1, 2), (9, NULL);
    CREATE TABLE tree (id INTEGER PRIMARY KEY, parent INT, leaf INT);
    INSERT INTO tree VALUES (1, 3, 9), (2, 1, NULL), (3, 3, 1), (4, NULL, 1);
    CREATE TABLE hen (id INTEGER PRIMARY KEY, egg INT); INSERT INTO hen VALUES (1, 2), (2, NULL);
    CREATE TABLE egg (id INTEGER PRIMARY KEY, hen INT); INSERT INTO egg VALUES (1, 2), (2, 1);";

const GRANTS: &str = "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO litelift_test_writer; \
    GRANT SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO litelift_test_writer;";

#[test]
fn the_owner_a_superuser_and_a_role_that_may_only_write_load_the_same() {
    let owners = "SELECT string_agg(c.oid::regclass || ' ' || relowner::regrole, ',' ORDER BY c.oid::regclass::text) \
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public'";
    for role in ["owner", "superuser", WRITER] {
        let mut case = Case::new(ROWS, TABLES);
        match role {
            WRITER => {
                as_writer(&mut case);
                case.target.execute(GRANTS);
            }
            "superuser" => case.options.to.clone_from(&case.target.database.url),
            _ => {}
        }
        let before = case.target.one(owners);
        let report = case.arrives(&[]);
        assert_eq!(case.target.one(owners), before, "{role}");
        let stay = report.notes.iter().any(|note| note.contains("parents first"));
        assert_eq!(stay, role == WRITER, "{:?}", report.notes);
    }
}

#[test]
fn a_table_that_refers_to_itself_is_loaded_with_its_children_first() {
    // Large enough for several ranges, were it cut; every row points to a later one.
    let source = "CREATE TABLE tree (id INTEGER PRIMARY KEY, parent INT, body TEXT);
        WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 60000)
        INSERT INTO tree SELECT n, nullif(n + 1, 60001), hex(randomblob(300)) FROM i;
        CREATE TABLE note (tree INT); INSERT INTO note SELECT id FROM tree;";
    for deferrable in ["", "DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"] {
        let mut case = Case::new(
            source,
            &format!(
                "CREATE TABLE tree (id serial PRIMARY KEY, parent int REFERENCES tree {deferrable}, body text); \
                 CREATE TABLE note (tree int REFERENCES tree)"
            ),
        );
        as_writer(&mut case);
        case.target.execute(GRANTS);
        case.arrives(&[]);
        let ranges = |table: &str| {
            case.target.database.query_one_text(&format!(
                "SELECT count(*) FROM litelift.range r JOIN litelift.relation t ON t.number = r.relation \
                 WHERE t.target = '{table}'"
            ))
        };
        assert_eq!(ranges("tree").as_deref(), Some("1"));
        // As its owner it is cut as ever.
        let mut case = case;
        case.options.to.clone_from(&case.target.url);
        case.options.restart = true;
        case.target.database.execute("DROP SCHEMA litelift CASCADE");
        let case = case.with(|asked| asked.on_existing = vec![(None, OnExisting::Truncate)]);
        case.arrives(&[]);
        let cut = case.target.one("SELECT count(*) > 1 FROM litelift.range WHERE relation = 0");
        assert_eq!(cut, "t");
    }
}

#[test]
fn a_circle_that_nothing_opens_is_refused_with_its_way() {
    let source = "CREATE TABLE a (id INTEGER PRIMARY KEY, b INT); CREATE TABLE b (id INTEGER PRIMARY KEY, c INT);
        CREATE TABLE c (id INTEGER PRIMARY KEY, a INT); CREATE TABLE d (a INT REFERENCES a);
        INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1); INSERT INTO c VALUES (1, 1), (2, NULL); INSERT INTO d VALUES (1);";
    let tables = "CREATE TABLE a (id serial PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, c int);
        CREATE TABLE c (id int PRIMARY KEY, a int REFERENCES a); CREATE TABLE d (a int REFERENCES a);
        ALTER TABLE a ADD CONSTRAINT to_b FOREIGN KEY (b) REFERENCES b;
        ALTER TABLE b ADD CONSTRAINT \"to C\" FOREIGN KEY (c) REFERENCES c;";
    let mut case = Case::new(source, tables);
    as_writer(&mut case);
    case.target.execute(GRANTS);
    let case = case.refused(
        ErrorKind::TargetState,
        &[
            "a -> b -> c -> a (\"to_b\", \"to C\", \"c_a_fkey\")",
            "Connect as \"litelift_test_owner\"",
            "GRANT \"litelift_test_owner\" TO \"litelift_test_writer\";",
        ],
    );
    // A column that stays NULL opens it.
    case.skip("c.a").arrives(&["c.a"]);
    // One key that can wait opens it.
    let mut case =
        Case::new(source, &tables.replace("(c) REFERENCES c", "(c) REFERENCES c DEFERRABLE"));
    as_writer(&mut case);
    case.target.execute(GRANTS);
    case.arrives(&[]);
    // Its owner takes the keys away, and so does a role that is made a member by the printed GRANT.
    Case::new(source, tables).arrives(&[]);
    let role = "litelift_test_round";
    let mut case = Case::new(source, tables);
    as_role(&mut case, role);
    // Roles outlive a run of the tests on a server of one's own.
    case.target.database.execute(&format!("REVOKE litelift_test_owner FROM {role}"));
    case.target.execute(&GRANTS.replace(WRITER, role));
    let bookkeeping = format!("CREATE SCHEMA litelift AUTHORIZATION {role}");
    case.target.database.execute(&bookkeeping);
    let told = pg::explain(&transfers::run(&case.options).unwrap_err());
    let printed = roles::grants(&told);
    assert_eq!(printed, [format!("GRANT \"litelift_test_owner\" TO \"{role}\";")], "{told}");
    case.target.database.execute(&printed[0]);
    case.arrives(&[]);
}

#[test]
fn of_tables_of_two_roles_each_is_loaded_as_its_own() {
    let source = "CREATE TABLE mine (id INTEGER PRIMARY KEY, theirs INT); CREATE TABLE theirs (id INTEGER PRIMARY KEY, mine INT);
        CREATE TABLE above (id INTEGER PRIMARY KEY); INSERT INTO above VALUES (7);
        INSERT INTO mine VALUES (1, 2), (2, 1); INSERT INTO theirs VALUES (1, 2), (2, 1);";
    let mut case = Case::new(
        source,
        "CREATE TABLE mine (id serial PRIMARY KEY, theirs int); CREATE TABLE above (id int PRIMARY KEY); \
         CREATE TABLE theirs (id int PRIMARY KEY, mine int REFERENCES mine); CREATE INDEX i ON mine (theirs); \
         ALTER TABLE mine ADD FOREIGN KEY (theirs) REFERENCES theirs; CREATE INDEX k ON theirs (mine)",
    );
    as_writer(&mut case);
    case.target.execute(GRANTS);
    // One of them is the writer's, so its key goes and comes back.
    case.target.database.execute(
        "ALTER TABLE mine OWNER TO litelift_test_writer; GRANT CREATE ON SCHEMA public TO litelift_test_writer; \
         GRANT REFERENCES ON theirs TO litelift_test_writer",
    );
    case.arrives(&[]);
    let database = &case.target.database;
    let journal = "SELECT string_agg(name, ',' ORDER BY name) FROM litelift.journal";
    assert_eq!(database.query_one_text(journal).as_deref(), Some("i,mine_theirs_fkey"));
    // Without REFERENCES it could not come back, so it stays and closes the circle.
    database.execute(
        "REVOKE REFERENCES ON theirs FROM litelift_test_writer; DROP SCHEMA litelift CASCADE; \
         TRUNCATE mine, theirs, above",
    );
    let grant = "GRANT REFERENCES ON \"public\".\"theirs\" TO \"litelift_test_writer\";";
    let bookkeeping = format!("CREATE SCHEMA litelift AUTHORIZATION {WRITER}");
    database.execute(&bookkeeping);
    let case = case.refused(ErrorKind::TargetState, &["mine -> theirs -> mine", grant]);
    case.target.database.execute(grant);
    case.arrives(&[]);
}

#[test]
fn a_table_that_is_emptied_takes_those_that_point_to_it_along() {
    let source = "CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1);
        CREATE TABLE c (id INTEGER PRIMARY KEY, p INT); INSERT INTO c VALUES (5, 1);
        CREATE TABLE g (c INT); INSERT INTO g VALUES (5);";
    let mut case = Case::new(
        source,
        "CREATE TABLE p (id serial PRIMARY KEY); INSERT INTO p VALUES (1), (8); \
         CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p); CREATE TABLE g (c int REFERENCES c)",
    )
    .with(|asked| asked.on_existing = vec![(None, OnExisting::Truncate)]);
    as_writer(&mut case);
    case.target.execute(GRANTS);
    // Only p has rows, but TRUNCATE must name all three.
    let grant = "GRANT TRUNCATE ON \"public\".\"p\", \"public\".\"c\", \"public\".\"g\" TO \"litelift_test_writer\";";
    let says = ["p", "c", "g"].map(|table| format!("may not TRUNCATE \"{table}\""));
    let case = case.refused(ErrorKind::TargetState, &[&says[0], &says[1], &says[2], grant]);
    case.target.database.execute(grant);
    case.target.execute("CREATE TABLE other (g int, p int REFERENCES p)");
    let case = case.refused(
        ErrorKind::TargetState,
        &["\"p\" cannot be emptied", "\"public\".\"other\", which is another role's"],
    );
    case.target.execute("DROP TABLE other");
    case.arrives(&[]);
    assert_eq!(case.target.one("SELECT string_agg(id::text, ',') FROM p"), "1");
}

#[test]
fn rows_that_stay_are_never_removed_with_those_that_they_point_to() {
    let source = "CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1);
        CREATE TABLE c (id INTEGER PRIMARY KEY, p INT); INSERT INTO c VALUES (5, 1), (7, 1);";
    let asked = |p: OnExisting| {
        vec![(Some("p".to_owned()), p), (Some("c".to_owned()), OnExisting::Upsert(Vec::new()))]
    };
    let mut case = Case::new(
        source,
        "CREATE TABLE p (id serial PRIMARY KEY); INSERT INTO p VALUES (8); \
         CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p); INSERT INTO c VALUES (5, 8), (6, 8)",
    )
    .with(|options| options.on_existing = asked(OnExisting::Truncate));
    as_writer(&mut case);
    case.target.execute(GRANTS);
    case.target.database.execute(&format!(
        "GRANT TRUNCATE, UPDATE ON p, c TO {WRITER}; GRANT TEMP ON DATABASE \"{}\" TO {WRITER}",
        case.target.database.name
    ));
    let case = case.refused(ErrorKind::TargetState, &["The rows of table \"c\" cannot stay"]);
    let case = case.with(|options| options.on_existing = asked(OnExisting::Keep(Vec::new())));
    transfers::run(&case.options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    let rows = |sql: &str| case.target.one(sql);
    assert_eq!(rows("SELECT string_agg(id::text, ',' ORDER BY id) FROM p"), "1,8");
    assert_eq!(rows("SELECT string_agg(id || '>' || p, ',' ORDER BY id) FROM c"), "5>1,6>8,7>1");
}

#[test]
fn a_key_onto_a_table_that_is_emptied_must_be_one_that_can_be_made_again() {
    let source = "CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1);";
    let mut case = Case::new(
        source,
        "CREATE TABLE p (id serial PRIMARY KEY); INSERT INTO p VALUES (8); \
         CREATE TABLE mine (p int REFERENCES p)",
    )
    .with(|asked| asked.on_existing = vec![(None, OnExisting::Truncate)]);
    as_writer(&mut case);
    case.target.execute(GRANTS);
    case.target
        .database
        .execute(&format!("ALTER TABLE mine OWNER TO {WRITER}; GRANT TRUNCATE ON p TO {WRITER}"));
    let grant = "GRANT REFERENCES ON \"public\".\"p\" TO \"litelift_test_writer\";";
    let case = case.refused(
        ErrorKind::TargetState,
        &["\"p\" cannot be emptied", "could not make it again", grant],
    );
    case.target.database.execute(grant);
    case.arrives(&[]);
}

/// Levels of the ranges in the order in which they were committed.
const LEVELS: &str = "SELECT string_agg((u.plan::jsonb #>> ARRAY['fill', 'order', 'levels', r.relation::text]), '' \
    ORDER BY committed_at) FROM litelift.range r JOIN litelift.run u ON u.id = r.run";

#[test]
fn killed_in_the_middle_it_goes_on_in_the_same_order() {
    let tables = ["z", "m", "a"];
    let mut source = String::new();
    for (at, table) in tables.iter().enumerate() {
        let parent = if at == 0 { "NULL" } else { "1 + n * 7 % 30000" };
        source.push_str(&format!(
            "CREATE TABLE {table} (id INTEGER PRIMARY KEY, parent INT, body TEXT);
             WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 30000)
             INSERT INTO {table} SELECT n, {parent}, hex(randomblob(300)) FROM i;"
        ));
    }
    source.push_str(
        "CREATE TABLE loop (id INTEGER PRIMARY KEY, next INT);
        INSERT INTO loop SELECT id, 30001 - id FROM z;",
    );
    let target = "CREATE TABLE z (id serial PRIMARY KEY, parent int, body text);
        CREATE TABLE m (id int PRIMARY KEY, parent int REFERENCES z, body text);
        CREATE TABLE a (id int PRIMARY KEY, parent int REFERENCES m, body text);
        CREATE TABLE loop (id int PRIMARY KEY REFERENCES a, next int REFERENCES loop);
        CREATE INDEX a_body ON a (body);";
    let more = ["--data-only", "--quiet"];
    for wanted in [1, 3, 5] {
        let mut case = Case::new(&source, target);
        as_writer(&mut case);
        case.target.execute(GRANTS);
        let objects = case.target.objects();
        let ranges = |case: &Case| -> i32 {
            let there = case
                .target
                .database
                .query_one_text("SELECT to_regclass('litelift.range') IS NOT NULL");
            if there.as_deref() != Some("t") {
                return 0;
            }
            let count = case.target.database.query_one_text("SELECT count(*) FROM litelift.range");
            count.unwrap().parse().unwrap()
        };
        let running = Running::start(transfer(&case.source.path, &case.options.to, &more))
            .until("ranges are committed", || ranges(&case) >= wanted);
        assert!(running.kill(), "it was killed too late");
        run(transfer(&case.source.path, &case.options.to, &more)).expect(0);
        assert_eq!(case.target.objects(), objects);
        let levels = case.target.database.query_one_text(LEVELS).unwrap();
        assert!(levels.bytes().is_sorted(), "{levels}");
        assert!(levels.contains("00112"), "several ranges each: {levels}");
        let done = transfers::run(&case.options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
        let url = &case.target.database.url;
        transfers::compare_all(&case.source.path, url, &done).expect_same();
    }
}

#[test]
fn what_another_role_made_is_told_with_the_grant() {
    let mut case = Case::new(ROWS, TABLES);
    let run = transfers::run(&case.options).unwrap().run;
    as_role(&mut case, WRITER);
    case.target.execute(GRANTS);
    let error = transfers::run(&case.options).unwrap_err();
    let told = pg::explain(&error);
    let grants = roles::grants(&told);
    assert_eq!(grants.len(), 2, "{told}");
    case.target.database.execute(&grants.join(" "));
    // Now the run is known to it.
    let report = transfers::run(&case.options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
    assert_eq!(report.run, run);
}

#[test]
fn the_rights_that_the_manual_lists_are_enough() {
    let page = std::fs::read_to_string("docs/data-only.md").unwrap();
    let block = page.split("```sql\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(block.contains("loader"), "{block}");
    let mut case = Case::new(ROWS, TABLES)
        .with(|asked| asked.on_existing = vec![(None, OnExisting::Truncate)]);
    case.target.execute("INSERT INTO z_root VALUES (9, 'seed')");
    as_role(&mut case, WRITER);
    case.target.database.execute(&block.replace("loader", WRITER));
    case.arrives(&[]);
}

/// A key of a random application.
struct Key {
    child: usize,
    parent: usize,
    deferrable: &'static str,
}

/// Whether keys that cannot wait go in a circle of several tables.
fn is_circle(tables: usize, keys: &[Key]) -> bool {
    let mut reach = vec![vec![false; tables]; tables];
    for key in keys.iter().filter(|key| key.deferrable.is_empty() && key.child != key.parent) {
        reach[key.child][key.parent] = true;
    }
    for middle in 0..tables {
        for from in 0..tables {
            for to in 0..tables {
                reach[from][to] |= reach[from][middle] && reach[middle][to];
            }
        }
    }
    (0..tables).any(|table| reach[table][table])
}

#[test]
fn random_keys_are_loaded_or_refused_for_a_circle() {
    let seed = std::env::var("LITELIFT_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    let mut random = Random::new(seed);
    let (mut loaded, mut refused) = (0, 0);
    for _ in 0..8 {
        let tables = 2 + random.below(5);
        let keys: Vec<Key> = (0..1 + random.below(7))
            .map(|_| Key {
                child: random.below(tables).try_into().unwrap(),
                parent: random.below(tables).try_into().unwrap(),
                deferrable: ["", "", "DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"]
                    [usize::try_from(random.below(4)).unwrap()],
            })
            .collect();
        let (mut source, mut target, mut constraints) =
            (String::new(), String::new(), String::new());
        for table in 0..usize::try_from(tables).unwrap() {
            let own: Vec<usize> = (0..keys.len()).filter(|at| keys[*at].child == table).collect();
            let columns: String = own.iter().map(|at| format!(", k{at} int")).collect();
            source.push_str(&format!("CREATE TABLE t{table} (id INTEGER PRIMARY KEY{columns});"));
            target.push_str(&format!("CREATE TABLE t{table} (id serial PRIMARY KEY{columns});"));
            for id in 1..=6 {
                let values: String = own
                    .iter()
                    .map(|_| match random.below(7) {
                        0 => ", NULL".to_owned(),
                        parent => format!(", {parent}"),
                    })
                    .collect();
                source.push_str(&format!("INSERT INTO t{table} VALUES ({id}{values});"));
            }
        }
        for (at, key) in keys.iter().enumerate() {
            let Key { child, parent, deferrable } = key;
            constraints.push_str(&format!(
                "ALTER TABLE t{child} ADD FOREIGN KEY (k{at}) REFERENCES t{parent} {deferrable};"
            ));
        }
        let mut case = Case::new(&source, &(target + &constraints));
        as_writer(&mut case);
        case.target.execute(GRANTS);
        if is_circle(usize::try_from(tables).unwrap(), &keys) {
            let error = transfers::run(&case.options).expect_err("there is a circle");
            let told = pg::explain(&error);
            assert!(told.contains("Foreign keys go in a circle, t"), "seed {seed}: {told}");
            refused += 1;
            continue;
        }
        let before = case.target.objects();
        let report = transfers::run(&case.options)
            .unwrap_or_else(|e| panic!("seed {seed}: {}\n{constraints}", pg::explain(&e)));
        assert_eq!(case.target.objects(), before, "seed {seed}");
        let url = &case.target.database.url;
        transfers::compare_all(&case.source.path, url, &report).expect_same();
        loaded += 1;
    }
    assert!(loaded > 0, "seed {seed}: {loaded} loaded, {refused} refused");
}
