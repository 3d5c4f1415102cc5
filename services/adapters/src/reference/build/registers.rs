//! Lists, registers, catalogue, parties, groups and activities.

use std::collections::{BTreeMap, BTreeSet};

use samenloop_domain::{
    declaration::PrestatieKey,
    identifiers::{
        ActivityCode, Agb, ConditionCode, GroupId, KindCode, PartyId, RegionCode, Uzovi,
    },
    period::Validity,
    reference::{CatalogueEntry, CodeList, Group, Insurer, Mandate, Party, TariefKind},
    tarief::Tarief,
};

use super::{Faults, agb, overlap, unique, uzovi, validity};
use crate::reference::{
    data::{PartyEntry, PrestatieEntry, ReferenceData},
    fault::{Entry, Fault, Origin},
    words::TariefWord,
};

pub(super) fn code_lists(
    data: &ReferenceData,
    faults: &mut Faults,
) -> BTreeMap<Box<str>, CodeList> {
    unique(&data.code_lists, faults, |it| {
        (&it.list, format!("list {}", it.list))
    });
    let mut lists = BTreeMap::new();
    for Entry { value, origin } in &data.code_lists {
        if value.list.len() != 3 || !value.list.bytes().all(|it| it.is_ascii_digit()) {
            let problem = format!("`{}` is not a list of COD367-VEKT", value.list);
            faults.add(origin.field_fault("list", problem, "write three digits"));
        }
        let Some(validity) = faults.ok(validity(origin, value.from, value.until)) else {
            continue;
        };
        let name = value.name.clone();
        let to_insurers = value.to_insurers;
        let list = CodeList {
            name,
            validity,
            to_insurers,
        };
        lists.insert(value.list.as_str().into(), list);
    }
    lists
}

pub(super) fn catalogue(
    data: &ReferenceData,
    faults: &mut Faults,
) -> BTreeMap<PrestatieKey, CatalogueEntry> {
    unique(&data.catalogue, faults, |it| {
        (
            (&it.list, &it.code),
            format!("prestatie {} of list {}", it.code, it.list),
        )
    });
    let mut catalogue = BTreeMap::new();
    for Entry { value, origin } in &data.catalogue {
        if !data
            .code_lists
            .iter()
            .any(|list| list.value.list == value.list)
        {
            let problem = format!("list {} is unknown", value.list);
            faults.add(origin.field_fault("list", problem, "add it to code_lists.toml"));
        }
        if value.code.is_empty() || value.code.len() > 6 {
            let problem = format!("`{}` does not have one to six characters", value.code);
            faults.add(origin.field_fault("code", problem, "shorten the code"));
        }
        for kind in &value.provider_kinds {
            if kind.len() != 2 || !kind.bytes().all(|it| it.is_ascii_digit()) {
                let problem = format!("`{kind}` is not a kind of provider");
                let remedy = "write the first two digits of the AGB codes";
                faults.add(origin.field_fault("provider_kinds", problem, remedy));
            }
        }
        if let Some(entry) = prestatie(value, origin, faults) {
            catalogue.insert(PrestatieKey::new(&value.list, &value.code), entry);
        }
    }
    catalogue
}

fn prestatie(
    value: &PrestatieEntry,
    origin: &Origin,
    faults: &mut Faults,
) -> Option<CatalogueEntry> {
    let dated = match (value.from, value.until) {
        (Some(from), until) => Some(faults.ok(validity(origin, from, until))?),
        (None, None) => None,
        (None, Some(_)) => {
            let problem = "`until` without `from`";
            faults.add(origin.field_fault("until", problem, "write `from` too"));
            return None;
        }
    };
    let experiment = match &value.experiment {
        Some(span) => Some(faults.ok(validity(origin, span.from, span.until))?),
        None => None,
    };
    let tarief_kind = faults.ok(tarief_kind(value, origin))?;
    Some(CatalogueEntry {
        name: value.name.clone(),
        kind: KindCode::new(&value.kind),
        validity: dated,
        experiment,
        unit: value.unit.into(),
        tarief_kind,
        conditions: value.conditions.iter().map(|it| (*it).into()).collect(),
        provider_kinds: value
            .provider_kinds
            .iter()
            .map(|it| it.as_str().into())
            .collect(),
        condition: value.condition.as_deref().map(ConditionCode::new),
        form: value.form.as_deref().map(Into::into),
        zorginstituut_assessed_on: value.zorginstituut_assessed_on,
        nza_described_on: value.nza_described_on,
        key_proposed_on: value.key_proposed_on,
        budget_max_basis_points: value.budget_max_basis_points,
        legal_basis: value.legal_basis.clone(),
        test_code: value.test_code,
    })
}

fn tarief_kind(value: &PrestatieEntry, origin: &Origin) -> Result<TariefKind, Fault> {
    let tarief = match &value.tarief {
        Some(text) => Some(Tarief::parse(text).ok_or_else(|| {
            let remedy = "write euro with at most four decimals, such as \"25.00\"";
            origin.field_fault("tarief", format!("`{text}` is not a tarief"), remedy)
        })?),
        None => None,
    };
    match (value.tarief_kind, tarief) {
        (TariefWord::Vrij, None) => Ok(TariefKind::Vrij),
        (TariefWord::Vast, Some(tarief)) => Ok(TariefKind::Vast(tarief)),
        (TariefWord::Maximum, Some(tarief)) => Ok(TariefKind::Maximum(tarief)),
        (TariefWord::MaxMax, Some(tarief)) => Ok(TariefKind::MaxMax(tarief)),
        (TariefWord::Minimum, Some(tarief)) => Ok(TariefKind::Minimum(tarief)),
        (TariefWord::Vrij, Some(_)) => {
            let remedy = "remove it; the tarief stands in the contract";
            Err(origin.field_fault("tarief", "a free tarief has no amount here", remedy))
        }
        (_, None) => {
            let remedy = "write `tarief`, or make the kind of tarief \"vrij\"";
            Err(origin.field_fault("tarief_kind", "this kind of tarief needs an amount", remedy))
        }
    }
}

pub(super) fn providers(data: &ReferenceData, faults: &mut Faults) -> BTreeMap<Agb, Vec<Validity>> {
    let mut providers: BTreeMap<Agb, Vec<Validity>> = BTreeMap::new();
    for Entry { value, origin } in &data.providers {
        let code = faults.ok(agb(origin, "agb", &value.agb));
        let dated = faults.ok(validity(origin, value.from, value.until));
        let Some((code, dated)) = code.zip(dated) else {
            continue;
        };
        let registrations = providers.entry(code).or_default();
        if registrations.iter().any(|other| overlap(*other, dated)) {
            let problem = format!("two registrations of {code} overlap");
            faults.add(origin.fault(problem, "let one end before the next begins"));
        }
        registrations.push(dated);
    }
    providers
}

pub(super) fn insurers(data: &ReferenceData, faults: &mut Faults) -> BTreeMap<Uzovi, Insurer> {
    unique(&data.insurers, faults, |it| {
        (&it.uzovi, format!("insurer {}", it.uzovi))
    });
    let mut insurers = BTreeMap::new();
    for Entry { value, origin } in &data.insurers {
        let number = faults.ok(uzovi(origin, "uzovi", &value.uzovi));
        let dated = faults.ok(validity(origin, value.from, value.until));
        if let Some((number, validity)) = number.zip(dated) {
            let name = value.name.clone();
            insurers.insert(number, Insurer { name, validity });
        }
    }
    insurers
}

pub(super) fn parties(data: &ReferenceData, faults: &mut Faults) -> BTreeMap<PartyId, Party> {
    unique(&data.parties, faults, |it| {
        (&it.id, format!("party {}", it.id))
    });
    used_once(data, faults, "AMQP user", |it| it.amqp_user.as_ref());
    used_once(data, faults, "certificate", |it| it.certificate.as_ref());
    used_once(data, faults, "gateway credential", |it| {
        it.gateway_credential_sha256.as_ref()
    });
    let mut parties = BTreeMap::new();
    for Entry { value, origin } in &data.parties {
        let code = value.agb.as_ref().map(|text| agb(origin, "agb", text));
        let number = value
            .uzovi
            .as_ref()
            .map(|text| uzovi(origin, "uzovi", text));
        if let Some(hex) = &value.gateway_credential_sha256
            && (hex.len() != 64 || !hex.bytes().all(|it| it.is_ascii_hexdigit()))
        {
            let problem = "the credential is not a SHA-256 in hexadecimal";
            let remedy = "write 64 hexadecimal digits";
            faults.add(origin.field_fault("gateway_credential_sha256", problem, remedy));
        }
        let party = Party {
            agb: code.and_then(|code| faults.ok(code)),
            uzovi: number.and_then(|number| faults.ok(number)),
            amqp_user: value.amqp_user.clone(),
            certificate: value.certificate.clone(),
            gateway_credential_sha256: value.gateway_credential_sha256.clone(),
        };
        parties.insert(PartyId::new(&value.id), party);
    }
    parties
}

/// What identifies a party must identify one party.
fn used_once(
    data: &ReferenceData,
    faults: &mut Faults,
    what: &str,
    field: impl Fn(&PartyEntry) -> Option<&String>,
) {
    let mut users: BTreeMap<&String, &str> = BTreeMap::new();
    for Entry { value, origin } in &data.parties {
        let Some(used) = field(value) else { continue };
        if let Some(other) = users.insert(used, &value.id) {
            let problem = format!("{what} `{used}` is that of party {other} too");
            faults.add(origin.fault(problem, "give each party its own"));
        }
    }
}

pub(super) fn mandates(data: &ReferenceData, faults: &mut Faults) -> Vec<Mandate> {
    let parties: BTreeSet<&str> = data.parties.iter().map(|it| it.value.id.as_str()).collect();
    let providers: BTreeSet<&str> = data
        .providers
        .iter()
        .map(|it| it.value.agb.as_str())
        .collect();
    let mut mandates: Vec<Mandate> = Vec::new();
    for Entry { value, origin } in &data.mandates {
        if !parties.contains(value.party.as_str()) {
            let problem = format!("party `{}` is unknown", value.party);
            faults.add(origin.field_fault("party", problem, "add it to parties.toml"));
        }
        if !providers.contains(value.declarant.as_str()) {
            let problem = format!("provider {} is unknown", value.declarant);
            faults.add(origin.field_fault("declarant", problem, "add it to providers.toml"));
        }
        let code = faults.ok(agb(origin, "declarant", &value.declarant));
        let dated = faults.ok(validity(origin, value.from, value.until));
        let Some((declarant, validity)) = code.zip(dated) else {
            continue;
        };
        let party = PartyId::new(&value.party);
        let mandate = Mandate {
            party,
            declarant,
            validity,
        };
        // Entries are sorted by party and declarant.
        let mut same = mandates
            .iter()
            .rev()
            .take_while(|it| it.party == mandate.party && it.declarant == mandate.declarant);
        if same.any(|it| overlap(it.validity, validity)) {
            let problem = format!("two mandates of {} for {declarant} overlap", value.party);
            faults.add(origin.fault(problem, "let one end before the next begins"));
        }
        mandates.push(mandate);
    }
    mandates
}

pub(super) fn groups(data: &ReferenceData, faults: &mut Faults) -> BTreeMap<GroupId, Group> {
    unique(&data.groups, faults, |it| {
        (&it.id, format!("group {}", it.id))
    });
    let groups = data.groups.iter().map(|Entry { value, .. }| {
        let group = Group {
            name: value.name.clone(),
            region: value.region.as_deref().map(RegionCode::new),
            condition: value.condition.as_deref().map(ConditionCode::new),
        };
        (GroupId::new(&value.id), group)
    });
    groups.collect()
}

pub(super) fn activities(
    data: &ReferenceData,
    faults: &mut Faults,
) -> BTreeMap<ActivityCode, String> {
    unique(&data.activities, faults, |it| {
        (&it.code, format!("activity {}", it.code))
    });
    let activities = data.activities.iter();
    let activities =
        activities.map(|it| (ActivityCode::new(&it.value.code), it.value.name.clone()));
    activities.collect()
}
