//! typomania as a contestant of the engine benchmark; hack/bench/contest.py says what it reads and writes.
//!
//! Its argument is a directory of `<ecosystem>.txt`, one normalised name a line. All checks of the crate are on. Where a
//! choice is ours it is the cheap one for the crate: the alphabet is what its list is made of, and the package object is
//! made before the clock runs. Names must be ASCII: the crate cuts strings at bytes and panics on others.

use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use typomania::checks::{Bitflips, Omitted, SwappedWords, Typos};
use typomania::{AuthorSet, Corpus, Harness, Package};

const KEYBOARD: [&str; 4] = ["1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm"];
const DELIMITERS: &str = "-_.";
const LOOK_ALIKES: [(char, &str); 9] = [
    ('0', "o"),
    ('o', "0"),
    ('1', "l"),
    ('l', "1"),
    ('i', "1"),
    ('5', "s"),
    ('s', "5"),
    ('m', "rn"),
    ('w', "vv"),
];

/// A package of which nothing but the name is known: no author is shared, so nothing clears it.
struct Nameless;

impl Package for Nameless {
    fn authors(&self) -> &dyn AuthorSet {
        self
    }
    fn description(&self) -> Option<&str> {
        None
    }
    fn shared_authors(&self, _other: &dyn AuthorSet) -> bool {
        false
    }
}

impl AuthorSet for Nameless {
    fn contains(&self, _author: &str) -> bool {
        false
    }
}

struct Listed(HashMap<String, Nameless>);

impl Corpus for Listed {
    fn contains_name(&self, name: &str) -> typomania::Result<bool> {
        Ok(self.0.contains_key(name))
    }
    fn get(&self, name: &str) -> typomania::Result<Option<&dyn Package>> {
        Ok(self.0.get(name).map(|package| package as &dyn Package))
    }
}

/// What each character may be a typo for: its neighbours on the keyboard, look-alikes, other delimiters or none.
fn typos() -> HashMap<char, Vec<String>> {
    let mut found: HashMap<char, Vec<String>> = HashMap::new();
    let rows: Vec<Vec<char>> = KEYBOARD.iter().map(|row| row.chars().collect()).collect();
    for (y, row) in rows.iter().enumerate() {
        for (x, key) in row.iter().enumerate() {
            let beside = [x.checked_sub(1), x.checked_add(1)].map(|at| at.and_then(|at| row.get(at)));
            let above = y.checked_sub(1).map(|up| [rows[up].get(x), rows[up].get(x + 1)]);
            let below = rows.get(y + 1).map(|down| [x.checked_sub(1).and_then(|at| down.get(at)), down.get(x)]);
            let near = beside.into_iter().chain(above.into_iter().flatten()).chain(below.into_iter().flatten());
            found.entry(*key).or_default().extend(near.flatten().map(char::to_string));
        }
    }
    for (key, like) in LOOK_ALIKES {
        found.entry(key).or_default().push(like.to_string());
    }
    for key in DELIMITERS.chars() {
        let others = DELIMITERS.chars().filter(|other| *other != key).map(String::from);
        found.entry(key).or_default().extend(others.chain([String::new()]));
    }
    found
}

fn harness(list: &str) -> Harness<Listed> {
    let corpus = Listed(list.lines().map(|name| (name.to_string(), Nameless)).collect());
    let alphabet: String = list.lines().flat_map(str::chars).collect::<BTreeSet<char>>().into_iter().collect();
    Harness::builder()
        .with_check(Bitflips::new(&alphabet, corpus.0.keys().map(String::as_str)))
        .with_check(Omitted::new(&alphabet))
        .with_check(SwappedWords::new(DELIMITERS))
        .with_check(Typos::new(typos().into_iter()))
        .build(corpus)
}

fn load(directory: &Path) -> Result<HashMap<String, Harness<Listed>>, Box<dyn Error>> {
    let mut harnesses = HashMap::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if let (Some("txt"), Some(stem)) = (
            path.extension().and_then(|part| part.to_str()),
            path.file_stem().and_then(|part| part.to_str()),
        ) {
            harnesses.insert(stem.to_string(), harness(&fs::read_to_string(&path)?));
        }
    }
    Ok(harnesses)
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = env::args().nth(1).ok_or("give a directory of lists")?;
    let started = Instant::now();
    let harnesses = load(Path::new(&directory))?;
    let mut out = io::stdout().lock();
    writeln!(out, "{{\"load_ns\": {}}}", started.elapsed().as_nanos())?;
    out.flush()?;
    let mut chunk: Vec<(String, String)> = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        if let Some((ecosystem, name)) = line.split_once('\t') {
            chunk.push((ecosystem.to_string(), name.to_string()));
            continue;
        }
        let mut taken = Vec::with_capacity(chunk.len());
        for (ecosystem, name) in chunk.drain(..) {
            let harness = harnesses.get(&ecosystem).ok_or("there is no list for an ecosystem")?;
            let package: Box<dyn Package> = Box::new(Nameless);
            let started = Instant::now();
            let squats = harness.check_package(&name, package)?;
            let nanoseconds = started.elapsed().as_nanos();
            std::hint::black_box(squats);
            taken.push(nanoseconds.to_string());
        }
        writeln!(out, "{}", taken.join(" "))?;
        out.flush()?;
    }
    Ok(())
}
