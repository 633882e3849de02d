//! Which operations of a job can be done now, and which wait for others.
//!
//! First comes the order of the sequence: always the first operation of which all that it refers to is done (RFC 7644
//! section 3.7.2 lets operations refer to later ones). Operations that refer to each other in a circle are one unit, at the
//! place of the last of them. Then each unit waits for those before it that it refers to, and those with [claims] that do
//! not go with its own. Whatever order is taken within this, the result is that of the sequence.
//!
//! [claims]: super::claims

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use super::claims::{self, Claims, Key, Mode};
use super::{BulkEntry, BulkOperation, BulkRequest};
use crate::scim::ResourceType;

/// The units of a job, in the order of the sequence.
#[derive(Debug)]
pub struct Schedule {
    units: Vec<Unit>,
    gates: Vec<Gate>,
    /// Those that wait for nothing and are not begun; the first of the sequence is taken first.
    ready: BinaryHeap<Reverse<usize>>,
    /// How many are begun.
    begun: usize,
    makers: HashMap<String, usize>,
}

/// One operation, or those of a circle.
#[derive(Debug, Default)]
struct Unit {
    places: Vec<usize>,
    circle: bool,
    begun: bool,
    /// For how many gates it waits.
    missing: usize,
    /// The gates that it helps to open when it is done.
    opens: Vec<usize>,
}

/// What several units wait for, until several others are done. With gates a job of n operations has no n * n edges.
#[derive(Debug, Default)]
struct Gate {
    /// Units that are not done.
    left: usize,
    waiting: Vec<usize>,
}

/// Units that go together on one key, one after the other in the sequence.
struct Run {
    mode: Mode,
    /// Opens when the run before this one is done.
    before: Option<usize>,
    /// Opens when this run is done.
    gate: usize,
}

// === impl Schedule ===

impl Schedule {
    pub fn new(job: &BulkRequest, kinds: &[&ResourceType]) -> Self {
        let mut makers: HashMap<String, usize> = HashMap::new();
        for (place, entry) in job.operations.iter().enumerate() {
            if let Some(bulk_id) = &entry.bulk_id {
                makers.entry(bulk_id.clone()).or_insert(place);
            }
        }
        let operations: Vec<Option<&BulkOperation>> = job.operations.iter().map(|entry| entry.operation.as_ref().ok()).collect();
        let needs: Vec<Vec<usize>> = job.operations.iter().map(|entry| needs(entry, &makers)).collect();
        let mut schedule = Self { units: Vec::new(), gates: Vec::new(), ready: BinaryHeap::new(), begun: 0, makers };
        let units = sequence(components(&needs), &needs);
        let mut unit_of = vec![0; needs.len()];
        for (unit, (places, circle)) in units.into_iter().enumerate() {
            for place in &places {
                if let Some(of) = unit_of.get_mut(*place) {
                    *of = unit;
                }
            }
            schedule.units.push(Unit { places, circle, ..Unit::default() });
        }
        schedule.wait_for_references(&needs, &unit_of);
        schedule.wait_for_claims(claims::claims(&operations, kinds));
        let ready = schedule.units.iter().enumerate().filter(|(_, unit)| unit.missing == 0);
        schedule.ready = ready.map(|(unit, _)| Reverse(unit)).collect();
        schedule
    }

    /// Begins a unit that waits for nothing. With `in_sequence` no unit is begun before those that come before it are.
    pub fn begin(&mut self, in_sequence: bool) -> Option<usize> {
        let Reverse(first) = *self.ready.peek()?;
        if in_sequence && first != self.begun {
            return None;
        }
        self.ready.pop();
        self.begun += 1;
        self.units.get_mut(first)?.begun = true;
        Some(first)
    }

    /// The unit that [`Self::begin`] would begin.
    pub fn next(&self) -> Option<usize> {
        self.ready.peek().map(|Reverse(unit)| *unit)
    }

    /// Lets go on what waited for a unit.
    pub fn done(&mut self, unit: usize) {
        let Some(opens) = self.units.get_mut(unit).map(|unit| std::mem::take(&mut unit.opens)) else { return };
        for gate in opens {
            let Some(gate) = self.gates.get_mut(gate) else { continue };
            gate.left -= 1;
            if gate.left > 0 {
                continue;
            }
            for waiting in std::mem::take(&mut gate.waiting) {
                let Some(unit) = self.units.get_mut(waiting) else { continue };
                unit.missing -= 1;
                if unit.missing == 0 {
                    self.ready.push(Reverse(waiting));
                }
            }
        }
    }

    /// The places of the operations of a unit, and whether they are a circle.
    pub fn unit(&self, unit: usize) -> (&[usize], bool) {
        self.units.get(unit).map_or((&[], false), |unit| (&unit.places, unit.circle))
    }

    /// The number of units; they are in the order of the sequence.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether the job has no operations.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// For each unit those that it waits for, as long as nothing is begun.
    pub fn predecessors(&self) -> Vec<BTreeSet<usize>> {
        let mut openers: HashMap<usize, Vec<usize>> = HashMap::new();
        for (number, unit) in self.units.iter().enumerate() {
            for gate in &unit.opens {
                openers.entry(*gate).or_default().push(number);
            }
        }
        let mut waits = vec![BTreeSet::new(); self.units.len()];
        for (number, gate) in self.gates.iter().enumerate() {
            for waiting in &gate.waiting {
                if let (Some(waits), Some(openers)) = (waits.get_mut(*waiting), openers.get(&number)) {
                    waits.extend(openers);
                }
            }
        }
        waits
    }

    /// The places of the operations that are not begun, in the order of the sequence.
    pub fn rest(&self) -> impl Iterator<Item = usize> {
        self.units.iter().filter(|unit| !unit.begun).flat_map(|unit| unit.places.iter().copied())
    }

    /// Whether a bulkId is that of the operation at a place: of several with the same one the first counts.
    pub fn is_maker(&self, bulk_id: &str, place: usize) -> bool {
        self.makers.get(bulk_id) == Some(&place)
    }

    fn wait_for_references(&mut self, needs: &[Vec<usize>], unit_of: &[usize]) {
        let mut gates: HashMap<usize, usize> = HashMap::new();
        for (needs, &unit) in needs.iter().zip(unit_of) {
            for maker in needs.iter().filter_map(|place| unit_of.get(*place).copied()).filter(|maker| *maker != unit) {
                let gate = *gates.entry(maker).or_insert_with(|| self.gate());
                if self.gates.get(gate).is_some_and(|gate| gate.left == 0) {
                    self.opens(maker, gate);
                }
                self.waits(unit, gate);
            }
        }
    }

    fn wait_for_claims(&mut self, mut claims: Vec<Claims>) {
        let mut runs: HashMap<Key, Run> = HashMap::new();
        for unit in 0..self.units.len() {
            let mut whole = Claims::new();
            for place in self.unit(unit).0 {
                for (key, mode) in claims.get_mut(*place).map(std::mem::take).unwrap_or_default() {
                    claims::add(&mut whole, key, mode);
                }
            }
            for (key, mode) in whole {
                if !runs.get(&key).is_some_and(|run| run.mode == mode && mode != Mode::Alone) {
                    let before = runs.get(&key).map(|run| run.gate);
                    let gate = self.gate();
                    runs.insert(key.clone(), Run { mode, before, gate });
                }
                let Some(run) = runs.get(&key) else { continue };
                if let Some(before) = run.before {
                    self.waits(unit, before);
                }
                self.opens(unit, run.gate);
            }
        }
    }

    fn gate(&mut self) -> usize {
        self.gates.push(Gate::default());
        self.gates.len() - 1
    }

    fn waits(&mut self, unit: usize, gate: usize) {
        if let (Some(unit_), Some(gate)) = (self.units.get_mut(unit), self.gates.get_mut(gate)) {
            unit_.missing += 1;
            gate.waiting.push(unit);
        }
    }

    fn opens(&mut self, unit: usize, gate: usize) {
        if let (Some(unit), Some(open)) = (self.units.get_mut(unit), self.gates.get_mut(gate)) {
            unit.opens.push(gate);
            open.left += 1;
        }
    }
}

/// The places of the operations that one refers to, itself among them if it does so.
fn needs(entry: &BulkEntry, makers: &HashMap<String, usize>) -> Vec<usize> {
    let references = entry.operation.as_ref().map(BulkOperation::references).unwrap_or_default();
    references.iter().filter_map(|bulk_id| makers.get(bulk_id).copied()).collect()
}

/// The units in the order of the sequence.
fn sequence(mut units: Vec<(Vec<usize>, bool)>, needs: &[Vec<usize>]) -> Vec<(Vec<usize>, bool)> {
    let mut unit_of = vec![0; needs.len()];
    for (unit, (places, _)) in units.iter_mut().enumerate() {
        places.sort_unstable();
        for place in places {
            if let Some(of) = unit_of.get_mut(*place) {
                *of = unit;
            }
        }
    }
    let mut missing = vec![0_usize; units.len()];
    let mut waiting: HashMap<usize, Vec<usize>> = HashMap::new();
    for (needs, &unit) in needs.iter().zip(&unit_of) {
        for maker in needs.iter().filter_map(|place| unit_of.get(*place).copied()).filter(|maker| *maker != unit) {
            waiting.entry(maker).or_default().push(unit);
            if let Some(missing) = missing.get_mut(unit) {
                *missing += 1;
            }
        }
    }
    let last = |unit: usize, units: &[(Vec<usize>, bool)]| units.get(unit).and_then(|(places, _)| places.last().copied());
    let free = missing.iter().enumerate().filter(|(_, missing)| **missing == 0);
    let mut next: BinaryHeap<Reverse<(Option<usize>, usize)>> =
        free.map(|(unit, _)| Reverse((last(unit, &units), unit))).collect();
    let mut ordered = Vec::with_capacity(units.len());
    while let Some(Reverse((_, unit))) = next.pop() {
        for later in waiting.remove(&unit).unwrap_or_default() {
            let Some(missing) = missing.get_mut(later) else { continue };
            *missing -= 1;
            if *missing == 0 {
                next.push(Reverse((last(later, &units), later)));
            }
        }
        ordered.extend(units.get_mut(unit).map(std::mem::take));
    }
    ordered
}

/// The operations that refer to each other in a circle, directly or through others, as one; every other alone. By
/// Kosaraju, without recursion: chains are as long as jobs.
fn components(needs: &[Vec<usize>]) -> Vec<(Vec<usize>, bool)> {
    let mut finished = Vec::with_capacity(needs.len());
    let mut seen = vec![false; needs.len()];
    for place in 0..needs.len() {
        visit(needs, place, &mut seen, &mut finished);
    }
    let mut needed_by = vec![Vec::new(); needs.len()];
    for (place, makers) in needs.iter().enumerate() {
        for maker in makers {
            if let Some(users) = needed_by.get_mut(*maker) {
                users.push(place);
            }
        }
    }
    seen.fill(false);
    let mut components = Vec::new();
    for place in finished.into_iter().rev() {
        let mut places = Vec::new();
        visit(&needed_by, place, &mut seen, &mut places);
        if !places.is_empty() {
            let circle = places.len() > 1 || needs.get(place).is_some_and(|needs| needs.contains(&place));
            components.push((places, circle));
        }
    }
    components
}

/// Goes to all that can be reached and was not seen; each comes into `finished` after all behind it.
fn visit(edges: &[Vec<usize>], start: usize, seen: &mut [bool], finished: &mut Vec<usize>) {
    let mut enter = |place: usize| seen.get_mut(place).is_some_and(|seen| !std::mem::replace(seen, true));
    let behind = |place: usize| edges.get(place).map(|edges| edges.iter()).unwrap_or_default();
    if !enter(start) {
        return;
    }
    let mut path = vec![(start, behind(start))];
    while let Some((place, edges)) = path.last_mut() {
        if let Some(next) = edges.next() {
            if enter(*next) {
                path.push((*next, behind(*next)));
            }
        } else {
            finished.push(*place);
            path.pop();
        }
    }
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
