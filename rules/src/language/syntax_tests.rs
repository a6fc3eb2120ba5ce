use super::{MAX_RULE_BLOCK, Selector, parse};

fn rule(body: &str) -> String {
    format!("rule \"a-b-c\" {{\n  severity = \"HIGH\"\n  since = \"0.1.0\"\n{body}\n}}\n")
}

fn error(body: &str) -> (u32, String) {
    parse(&rule(body), 11).unwrap_err()
}

#[test]
fn a_rule_is_read_with_all_its_parts() {
    let text = rule(
        r#"aliases = ["X-1"]
           controls = { cis = ["1.2"] }
           locals { bad = ["a"] }
           resource "t_one" "t_two" {
             when = self.on
             check {
               for_each  = self.rule
               attribute = "x.y"
               condition = !contains(local.bad, each.value.x)
               message   = "x is ${each.value.x}"
               fix       = "b"
             }
           }
           data "t" {
             check {
               condition = self.x
               message = "m"
             }
           }
           stack {
             check {
               condition = length(all("t_one")) > 0
               message = "none"
             }
           }"#,
    );
    let rule = parse(&text, 1).unwrap();
    assert_eq!(rule.aliases, ["X-1"]);
    assert_eq!(rule.controls, [("cis".to_owned(), vec!["1.2".to_owned()])]);
    let selectors: Vec<_> = rule.subjects.iter().flat_map(|s| &s.selectors).collect();
    assert_eq!(
        selectors,
        [
            &selector("resource", "t_one"),
            &selector("resource", "t_two"),
            &selector("data", "t"),
            &selector("stack", "*")
        ]
    );
    assert_eq!(rule.subjects[0].checks[0].attribute, ["x", "y"]);
    assert_eq!(rule.subjects[0].checks[0].line, 9);
}

#[test]
fn mistakes_are_refused_with_their_line() {
    let check = |condition: &str| {
        format!("resource \"t\" {{\ncheck {{\ncondition = {condition}\nmessage = \"m\"\n}}\n}}")
    };
    assert_eq!(error(&check("self.a == ")).0, 16);
    for (condition, word) in [
        ("nosuch(self.a)", "nosuch"),
        ("timestamp() == self.a", "timestamp"),
        ("each.value.a", "each"),
        ("local.a", "local.a"),
        ("var.a", "var"),
        ("[for x in self.a : y]", "`y`"),
    ] {
        let (line, message) = error(&check(condition));
        assert_eq!(line, 16, "{condition}");
        assert!(message.contains(word), "{condition}: {message}");
    }
    assert!(parse(&rule(&check("alltrue([for x in self.a : x.b])")), 1).is_ok());
    assert_eq!(error("resource \"t\" {}").0, 14);
    assert!(error("nonsense = 1").1.contains("not known here"));
    assert!(error("").1.contains("at least one"));
    assert!(parse("rule \"x\" {}", 1).unwrap_err().1.contains("kebab"));
    assert!(parse("", 7).unwrap_err().1.contains("no `rule"));
    let long = "#".repeat(MAX_RULE_BLOCK + 1);
    assert!(parse(&long, 1).unwrap_err().1.contains("at most"));
    let deep = format!("{}1{}", "(".repeat(500), ")".repeat(500));
    assert!(parse(&rule(&check(&deep)), 1).is_err());
}

fn selector(class: &'static str, kind: &str) -> Selector {
    let kind = kind.to_owned();
    Selector { class, kind }
}

#[test]
fn an_asterisk_stands_for_anything() {
    for (pattern, fitting, other) in [
        ("aws_s3_bucket", "aws_s3_bucket", "aws_s3_bucket_policy"),
        ("*", "anything", ""),
        ("aws_*", "aws_vpc", "azurerm_vpc"),
        ("*_policy", "aws_iam_policy", "aws_iam_policy_document"),
        ("a*b*c", "axbxc", "axcxb"),
        ("a*a", "aa", "a"),
    ] {
        let selector = selector("resource", pattern);
        assert!(selector.fits(fitting), "{pattern} {fitting}");
        assert!(
            other.is_empty() || !selector.fits(other),
            "{pattern} {other}"
        );
    }
    for (selector, key) in [
        (selector("resource", "aws_vpc"), "aws_vpc"),
        (selector("data", "aws_vpc"), "data.aws_vpc"),
        (selector("module", "*"), "module.*"),
        (selector("provider", "aws"), "provider.aws"),
    ] {
        assert_eq!(selector.key(), key);
        assert_eq!(Selector::of_key(key), selector);
    }
}
