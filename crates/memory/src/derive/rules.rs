//! The rules: what people say in these words is worth remembering. Data; [`super::reading`] applies it.
//!
//! A pattern is tried on a whole clause, in the order of the table, without regard to case. `<REL>`, `<NAME>`, `<CAP>`,
//! `<NUM>`, `<EVERY>`, `<EVENT>` and `<JOB>` stand for the lists below. The groups: `x` what is said, `a` its attribute or
//! whose it is, `v` a verb, `p` a preposition, `d` a day, `w` "i" or "we", `o` "my", "our" or "the", `y` what is wrong.

use crate::memories::MemoryType::{self, Decision, Episode, Fact, Preference, Task};

/// What a rule makes of a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Makes {
    /// A memory of this type.
    Memory(MemoryType),
    /// Nothing of its own: the words after "remember" are read again, and kept as they are when no rule knows them.
    Remember,
    /// Takes back what is known of `x`.
    Forget,
    /// Puts `x` in the place of `y` in what was said before.
    Correct,
}

/// Whether a clause must name a day, and on which side of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// No day is looked for.
    No,
    /// A day to come is noted if there is one.
    Maybe,
    /// Without a day to come the rule does not hold.
    Ahead,
    /// Without a day that has been the rule does not hold.
    Behind,
}

/// A rule; a change of its meaning gets a new version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) version: u32,
    pub(super) makes: Makes,
    pub(super) pattern: &'static str,
    /// The memory's words: `{who}`, `{own}` ("Ana's" or "The"), groups, and `{x:s}` for a group in the third person.
    pub(super) says: &'static str,
    /// What a newer memory of the same person takes the older one's place in; empty: nothing.
    pub(super) attribute: &'static str,
    pub(super) when: When,
    pub(super) confidence: f64,
    /// How near to the person it is, 0–1.
    pub(super) personal: f64,
    /// Whether what an agent says counts, too.
    pub(super) agents: bool,
}

/// The version of the table as a whole: raised with any change, it has everything read once more.
pub(super) const VERSION: u32 = 1;

const fn rule(name: &'static str, kind: MemoryType, pattern: &'static str, says: &'static str) -> Rule {
    Rule {
        name,
        version: 1,
        makes: Makes::Memory(kind),
        pattern,
        says,
        attribute: "",
        when: When::No,
        confidence: 0.8,
        personal: 0.5,
        agents: false,
    }
}

const fn special(name: &'static str, makes: Makes, pattern: &'static str) -> Rule {
    Rule { makes, confidence: 0.95, ..rule(name, Fact, pattern, "") }
}

impl Rule {
    const fn about(self, attribute: &'static str) -> Self {
        Self { attribute, ..self }
    }

    const fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    const fn sure(self, confidence: f64) -> Self {
        Self { confidence, ..self }
    }

    /// Who somebody is, and what may harm them.
    const fn personal(self) -> Self {
        Self { personal: 1.0, ..self }
    }

    const fn also_agents(self) -> Self {
        Self { agents: true, ..self }
    }
}

/// Lists that patterns name.
pub(super) const LISTS: [(&str, &str); 7] = [
    (
        "<REL>",
        r"(?:(?:older|younger|elder|big|little|eldest|youngest|twin|best|new|late|ex)[ -])?(?:wife|husband|partner|spouse|girlfriend|boyfriend|fianc[eé]e?|mother|mom|mum|father|dad|parents|brother|sister|son|daughter|child|kid|baby|grandmother|grandma|grandfather|grandpa|aunt|uncle|cousin|niece|nephew|friend|roommate|flatmate|boss|manager|neighbou?r|dog|cat|puppy|kitten|horse|parrot|rabbit|hamster)",
    ),
    ("<NAME>", r"(?-i:\p{Lu}[\p{L}'-]+(?: \p{Lu}[\p{L}'-]*\.?){0,3})"),
    ("<CAP>", r"(?-i:(?:the |downtown |central |north |south |east |west )?\p{Lu}).*"),
    ("<NUM>", r"[$€£]?\d[\d,.:]*(?: ?(?:%|[\p{L}/²³°]+)){0,4}"),
    (
        "<EVERY>",
        r"(?:morning|afternoon|day|evening|night|week|weekend|month|year|weekday|monday|tuesday|wednesday|thursday|friday|saturday|sunday|summer|winter|spring|autumn)",
    ),
    (
        "<EVENT>",
        r"(?:meeting|appointment|flight|deadline|exam|wedding|interview|party|concert|surgery|operation|presentation|conference|class|lesson|call|check-?up|anniversary|graduation|release|launch|move|trip|holiday|vacation|train|rehearsal|marathon|race|review|demo|dinner|lunch|visit|funeral|game|match)",
    ),
    (
        "<JOB>",
        r"(?:teacher|engineer|nurse|doctor|lawyer|developer|programmer|designer|student|chef|cook|architect|accountant|dentist|writer|journalist|musician|artist|painter|photographer|pilot|driver|farmer|scientist|researcher|professor|electrician|plumber|carpenter|mechanic|pharmacist|psychologist|therapist|veterinarian|vet|translator|librarian|baker|barber|salesman|saleswoman|salesperson|consultant|manager|analyst|firefighter|paramedic|police officer|soldier|sailor|fisherman|historian|biologist|chemist|physicist|mathematician|economist|banker|waiter|waitress|hairdresser|gardener|midwife|surgeon|freelancer)",
    ),
];

/// All rules; of those that hold for a clause the first counts.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    special("forget", Makes::Forget, r"(?:you (?:can|should|must) )?(?:forget|stop remembering|do not remember) (?:about |everything (?:about|on|you know about) |what i (?:said|told you|mentioned) about |all about |that |the fact that )?(?P<x>.+)"),
    special("forget", Makes::Forget, r"(?:delete|erase|remove) (?:the memory|your memory|your memories|what you know|everything you know|what i told you) (?:of|about|that|on) (?P<x>.+)"),
    special("correction", Makes::Correct, r"(?:it is |it was |that is |i meant |i mean |make (?:it|that) )?(?P<x>[^,]{1,60}),? (?:and )?not (?P<y>[^,]{1,60})"),
    rule("reminder", Task, r"remind me (?:again )?(?:to|about|of) (?P<x>.+)", "To do for {who}: {x}").when(When::Maybe).sure(0.95),
    rule("reminder", Task, r"(?:do not|never) (?:let me )?forget to (?P<x>.+)", "To do for {who}: {x}").when(When::Maybe).sure(0.95),
    rule("reminder", Task, r"(?:i )?(?:must |have to |need to )?remember to (?P<x>.+)", "To do for {who}: {x}").when(When::Maybe).sure(0.95),
    rule("reminder", Task, r"(?:to-?do|action item): (?P<x>.+)", "To do for {who}: {x}").when(When::Maybe).sure(0.95),
    special("remember", Makes::Remember, r"(?:remember|keep in mind|bear in mind|make a note|do not forget)(?: that| this)?[:,]? (?P<x>.+)"),
    special("remember", Makes::Remember, r"(?:note|important|take note|write down|for future reference|for the record)(?: that|:|,) (?P<x>.+)"),

    rule("name", Fact, r"(?:my (?:full |first |real )?name is|i am called|i go by|call me) (?P<x><NAME>)", "{who}'s name is {x}").about("name").personal().sure(0.95),
    rule("allergy", Fact, r"i am (?:also |very |severely |deathly |highly |mildly )?allergic to (?P<x>.+)", "{who} is allergic to {x}").about("allergy to {x}").personal().sure(0.95),
    rule("allergy", Fact, r"i am (?:not|no longer) (?:\w+ )?allergic to (?P<x>.+)", "{who} is not allergic to {x}").about("allergy to {x}").personal().sure(0.95),
    rule("allergy", Fact, r"i have an? (?:severe |bad |mild |serious )?(?P<x>[\w-]+) allergy", "{who} is allergic to {x}").about("allergy to {x}").personal().sure(0.95),
    rule("allergy", Fact, r"my (?P<a><REL>) is (?:also |very |severely )?allergic to (?P<x>.+)", "{who}'s {a} is allergic to {x}").about("{a}'s allergy to {x}").personal().sure(0.95),
    rule("diet", Fact, r"i am (?:now |currently |a |an |strictly |mostly )*(?P<x>vegan|vegetarian|pescatarian|teetotal(?:ler)?|coeliac|celiac|diabetic|(?:lactose|gluten)[ -]intolerant|kosher)", "{who} is {x}").about("diet").personal(),
    rule("diet", Preference, r"i (?:do not|never) (?P<v>eat|drink) (?P<x>.+)", "{who} does not {v} {x}").about("taste for {x}"),
    rule("age", Fact, r"i (?:am|just turned|turned) (?P<x>\d{1,3})(?: years old)?", "{who} is {x} years old").about("age").personal(),
    rule("birthday", Fact, r"my birthday is (?:on )?(?:the )?(?P<x>.*\d.*|in <CAP>)", "{who}'s birthday is {x}").about("birthday").personal().sure(0.95),
    rule("birthday", Fact, r"i was born (?P<x>(?:on|in) .+)", "{who} was born {x}").about("birth").personal(),
    rule("birthday", Fact, r"my (?P<a><REL>)'s birthday is (?:on )?(?:the )?(?P<x>.+)", "{who}'s {a}'s birthday is {x}").about("{a}'s birthday").personal(),
    rule("marriage", Fact, r"(?:i am|i got|i just got|we got|we just got) (?:happily |recently |newly )?(?P<x>(?:married|engaged|divorced|widowed)(?: to .+)?)", "{who} is {x}").about("marriage").personal(),
    rule("home", Fact, r"(?:i|we) (?:(?:currently|now|still|also|actually|both) )?(?:live|reside|am living|are living|am based|are based) (?:now )?(?P<p>in|near|at|outside|close to) (?P<x>.+)", "{who} lives {p} {x}").about("home").personal().sure(0.9),
    rule("home", Fact, r"(?:i|we) (?:have )?(?:just |recently |finally )?moved (?:back )?(?:from .+ )?to (?P<x><CAP>)", "{who} lives in {x}").about("home").personal(),
    rule("home", Fact, r"(?:i|we) (?:no longer|do not) live (?P<p>in|near|at) (?P<x>.+)", "{who} no longer lives {p} {x}").about("home").personal(),
    rule("home", Fact, r"my (?P<a><REL>) (?:lives|is living) (?P<p>in|near|at) (?P<x>.+)", "{who}'s {a} lives {p} {x}").about("{a}'s home").personal(),
    rule("origin", Fact, r"i (?:am|come) (?:originally )?from (?P<x><CAP>)", "{who} is from {x}").about("origin").personal(),
    rule("work", Fact, r"i (?:(?:now|currently|still|also) )?(?:work|am employed) (?:as (?P<a>an? .+?) )?(?:at|for) (?P<x>(?-i:\p{Lu}).*|an? .+)", "{who} works at {x}").about("employer").personal(),
    rule("work", Fact, r"i (?:have )?(?:just |recently )?(?:started (?:working |a (?:new )?job )?at|got a (?:new )?job at|joined) (?P<x><CAP>)", "{who} works at {x}").about("employer").personal(),
    rule("work", Fact, r"i (?:have )?(?:just )?(?:quit|left|resigned from|lost) my job(?: at .+)?", "{who} left their job").about("employer").personal(),
    rule("work", Fact, r"i no longer work (?P<p>at|for) (?P<x>.+)", "{who} no longer works {p} {x}").about("employer").personal(),
    rule("occupation", Fact, r"i (?:(?:now|currently) )?work as (?P<x>an? .+)", "{who} works as {x}").about("occupation").personal(),
    rule("occupation", Fact, r"my (?:job|job title|profession|occupation) is (?P<x>.+)", "{who}'s occupation is {x}").about("occupation").personal(),
    rule("occupation", Fact, r"i am (?P<x>an? (?:[\w-]+ ){0,3}<JOB>)(?: by (?:trade|profession)| (?:at|in|from) .+)?", "{who} is {x}").about("occupation").personal(),
    rule("occupation", Fact, r"my (?P<a><REL>) (?:is (?P<x>an? (?:[\w-]+ ){0,3}<JOB>)|works as (?P<x2>an? .+))", "{who}'s {a} is {x}{x2}").about("{a}'s occupation").personal(),
    rule("family", Fact, r"my (?P<a><REL>)(?:'s name is| is called| is named) (?P<x><NAME>)", "{who}'s {a} is called {x}").about("{a}'s name").personal().sure(0.95),
    rule("family", Fact, r"(?:i|we) (?:now )?have (?P<x>(?:an?|one|two|three|four|five|six|\d+) (?:[\w-]+ ){0,2}(?:son|daughter|child|children|kid|brother|sister|sibling|dog|cat|pet|horse|rabbit|parrot|grandchild|grandchildren|twin)s?(?: (?:and|called|named) .+)?)", "{who} has {x}").personal(),
    rule("contact", Fact, r"my (?P<a>(?:(?:work|home|new|private) )?(?:e-?mail(?: address)?|phone(?: number)?|mobile(?: number)?|time ?zone|address|zip code|postcode|username|nickname|blood type|shoe size|native language|mother tongue|nationality)) is (?P<x>.+)", "{who}'s {a} is {x}").about("{a}").personal(),
    rule("favourite", Preference, r"my (?:all-time |absolute )?favou?rite (?P<a>.{2,40}?) (?:is|are|has always been) (?P<x>.+)", "{who}'s favourite {a} is {x}").about("favourite {a}").sure(0.9),
    rule("favourite", Preference, r"(?P<x>[\p{L}\d][^,]{1,50}) (?:is|are) my (?:all-time |absolute )?favou?rite (?P<a>[^,]{2,40})", "{who}'s favourite {a} is {x}").about("favourite {a}").sure(0.85),
    rule("taste", Preference, r"i (?:(?:really|absolutely|just|also|still|do|truly|honestly|always|generally|usually) )*(?P<v>love|like|enjoy|adore|prefer|hate|dislike|loathe|detest) (?P<x>.+)", "{who} {v:s} {x}").about("taste for {x}").sure(0.85),
    rule("taste", Preference, r"i (?:(?:really|still|just) )*(?:do not|cannot|no longer|never) (?:(?:really|much) )*(?:like|stand|enjoy|love|bear|care for) (?P<x>.+)", "{who} does not like {x}").about("taste for {x}").sure(0.85),
    rule("taste", Preference, r"i am (?:(?:really|also|such|quite|very) )*(?:an? )?(?:(?:big|huge|great|massive) )?(?:fan of|fond of|keen on|crazy about|a lover of) (?P<x>.+)", "{who} likes {x}").about("taste for {x}"),
    rule("taste", Preference, r"i am (?:really )?not (?:an? )?(?:(?:big|huge|great) )?(?:fan of|fond of|keen on) (?P<x>.+)", "{who} does not like {x}").about("taste for {x}"),

    rule("appointment", Episode, r"(?P<o>my|our|the) (?P<a>(?:[\w'-]+ ){0,4}<EVENT>(?: (?:with|for|to|in) [\w' -]{1,40}?)?) (?:is|are|will be|takes place|starts|begins|leaves|departs|has been moved to|has moved to|was moved to|got moved to|moved to) (?P<x>.+)", "{own} {a} is {x}").about("{a}").when(When::Ahead),
    rule("appointment", Episode, r"(?:i|we) have (?P<x>(?:an? |my |our |the )?(?:[\w'-]+ ){0,4}<EVENT>\b.*)", "{who} has {x}").when(When::Ahead),
    rule("promise", Task, r"i (?:will|promise to|promised to|am going to|have promised to) (?P<x>(?:send|call|email|finish|write|pay|bring|return|review|fix|submit|book|prepare|deliver|update|buy|pick up|clean|repair|file|renew|cancel|order|publish|deploy|merge|ship|test)\b.+)", "{who} will {x}").when(When::Ahead).also_agents(),
    rule("promise", Task, r"i promise(?:d)? (?:[\p{L}]+ )?(?:to|that i will) (?P<x>.+)", "{who} promised to {x}").when(When::Maybe),
    rule("plan", Episode, r"(?:i|we) (?:am|are) (?P<x>(?:going|flying|travell?ing|driving|moving|visiting|meeting|seeing|attending|starting|leaving|having|hosting|getting|taking|running|presenting|speaking|staying|hiking|camping|celebrating|launching|throwing) .+)", "{who} is {x}").when(When::Ahead),
    rule("plan", Episode, r"(?:i|we) (?:will|am going to|are going to|plan to|am planning to|are planning to|intend to) (?P<x>.+)", "{who} plans to {x}").when(When::Ahead),
    rule("task", Task, r"(?:i|we) (?:(?:really|still|also) )?(?:need to|have to|must|have got to|got to) (?P<x>.+)", "{who} needs to {x}").when(When::Maybe),
    rule("decision", Decision, r"(?P<w>i|we|the team|our team) (?:(?:have|has|finally|just|all|now) )*(?:decided|agreed|chose|chosen|opted|settled|resolved) (?P<x>(?:to|on|that|for|against|not to|upon) .+)", "{w} decided {x}").also_agents(),
    rule("decision", Decision, r"(?:the |our )?(?:final )?decision(?: is)?: (?P<x>.+)", "Decided: {x}").also_agents().sure(0.9),
    rule("decision", Decision, r"(?:we are going with|we will go with|let's go with|let us go with) (?P<x>.+)", "Decided: go with {x}").also_agents().sure(0.7),

    rule("habit", Preference, r"i (?P<a>usually|always|often|typically|normally|generally|never|rarely|regularly) (?P<x>.+)", "{who} {a} {x:s}").sure(0.7),
    rule("habit", Preference, r"(?P<a>every|each) (?P<d>(?:other )?<EVERY>),? i (?P<x>.+)", "{who} {x:s} {a} {d}").sure(0.75),
    rule("habit", Preference, r"on (?P<d><EVERY>s),? i (?P<x>.+)", "{who} {x:s} on {d}").sure(0.75),
    rule("habit", Preference, r"i (?P<x>.+ (?:every|each) (?:other |single )?<EVERY>s?|.+ (?:once|twice|three times) (?:a|per) (?:day|week|month|year)|.+ on (?:mon|tues|wednes|thurs|fri|satur|sun)days)", "{who} {x:s}").sure(0.75),
    rule("skill", Fact, r"i (?:also )?speak (?P<x>(?:fluent |some |a little )?(?-i:\p{Lu}).*)", "{who} speaks {x}").personal(),
    rule("skill", Fact, r"i (?:am|have been) (?P<v>learning|studying|training for) (?P<x>.+)", "{who} is {v} {x}").sure(0.7),
    rule("skill", Fact, r"i (?:also )?(?P<v>play|drive|own|study|teach|collect|breed|run) (?P<x>(?:the |an? |two |three |my own )?\p{L}.+)", "{who} {v:s} {x}").sure(0.65),
    rule("happening", Episode, r"(?:(?P<d>[^,]{3,30}),? )?(?P<w>i|we) (?:just |finally |recently )?(?P<x>(?:went|visited|met|saw|ran|bought|sold|finished|started|graduated|got|adopted|moved|quit|broke|won|lost|attended|celebrated|travell?ed|flew|hiked|watched|joined|signed|passed|failed|gave birth|tried|completed|booked|climbed|planted|painted|cooked|read|opened|closed|published|launched|swam|sailed|camped|drove|took) .+)", "{who} {x}").when(When::Behind).sure(0.75),
    rule("happening", Episode, r"(?:my|our) (?P<a><REL>) (?P<x>(?:died|passed away|was born|got married|graduated|moved|visited|arrived|left|won|broke)\b.*)", "{who}'s {a} {x}").when(When::Behind).personal(),
    rule("quantity", Fact, r"(?P<o>my|our|the) (?P<a>(?:[\p{L}-]+ ){0,3}[\p{L}-]+) (?:is|are|was set to|was raised to|has been raised to|equals|weighs|costs) (?:now |about |around |roughly |set to |set at |at |exactly |only |up to )?(?P<x><NUM>)", "{own} {a} is {x}").about("{a}"),
];
