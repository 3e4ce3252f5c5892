use hlm::check::*;
use hlm::diag;
use hlm::source::*;
use hlm::syntax::*;
fn walk(p: &std::path::Path, v: &mut Vec<(String, String)>) {
    if p.is_dir() {
        let mut e: Vec<_> = std::fs::read_dir(p)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        e.sort();
        for q in e {
            walk(&q, v)
        }
    } else if p.extension().is_some_and(|e| e == "hlm") {
        v.push((p.display().to_string(), std::fs::read_to_string(p).unwrap()))
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut files = vec![];
    walk(std::path::Path::new(&args[1]), &mut files);
    let refs: Vec<(&str, &str)> = files
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let verbose = args[2] == "-v";
    let mut base = SourceMap::new();
    let t = std::time::Instant::now();
    let library = match Library::parse(&mut base, &refs) {
        Ok(l) => l,
        Err(e) => {
            println!("{}", diag::render(&base, &e, false));
            return;
        }
    };
    eprintln!("library {:?}", t.elapsed());
    let list: Vec<String> = if args[2] == "-l" {
        library_check(&library, &base);
        return;
    } else {
        std::io::stdin().lines().map(|l| l.unwrap()).collect()
    };
    for path in list {
        let mut sources = base.clone();
        let id = sources.add(path.clone(), std::fs::read_to_string(&path).unwrap());
        let t = std::time::Instant::now();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            match parse(&mut sources, id, &mut NoIncludes) {
                Err(e) => ("syntax", e),
                Ok(p) => match check(&p, &library, &CheckOptions::default()) {
                    Ok(c) => ("accept", c.warnings),
                    Err(e) => ("semantic", e),
                },
            }
        }));
        let Ok((class, diags)) = result else {
            println!("{path}\tPANIC");
            continue;
        };
        let first = diags.iter().find(|d| d.is_error());
        let at = first
            .map(|d| {
                let lc = sources.line_column(d.label.span.source, d.label.span.start);
                format!("{}:{}", lc.line, lc.column)
            })
            .unwrap_or_default();
        if verbose && class != "accept" {
            println!("{}", diag::render(&sources, &diags, false));
        }
        println!(
            "{path}\t{class}\t{at}\t{}\t{:?}",
            first
                .map(|d| format!("{} {}", d.code.number(), d.title))
                .unwrap_or_default(),
            t.elapsed()
        );
    }
}
fn library_check(library: &Library, sources: &SourceMap) {
    let found = verify_library(library);
    println!("{}", diag::render(sources, &found, false));
    println!("{} findings", found.len());
}
