// SPDX-License-Identifier: Apache-2.0
import type { PersonalClass } from './identity-numbers.ts';
import type { Rule } from './rule.ts';

type Row = {
  readonly id: string;
  readonly class: PersonalClass;
  readonly keywords: readonly string[];
  readonly expression: RegExp;
  /** See `Rule`. */
  readonly before?: number;
};

const separator = '(?:[^a-z0-9]{1,6})';
const conditions =
  '(?:diabet[a-z]{1,5}|cancer|carcinoma|leuk[a-z]{2,8}|lymphoma|melanoma|tumou?rs?|hiv|aids|hepatitis|' +
  'tuberculosis|asthma|epileps[a-z]{1,3}|depression|bipolar|schizophreni[a-z]{1,2}|anxiety|ptsd|autism|adhd|' +
  'dementia|alzheimer[a-z]{0,2}|parkinson[a-z]{0,2}|sclerosis|arthritis|hypertension|strokes?|infarction|' +
  'copd|pneumonia|covid|pregnan[a-z]{1,3}|miscarriage|addiction|alcoholism|overdose|dialysis|lupus|crohn[a-z]{0,2}|' +
  'colitis|psoriasis|an[a-z]{0,1}emia|migraines?|heart[^a-z0-9]{1,3}(?:failure|disease|attack)|syphilis|endometriosis)';

const capitalised = '[A-Z][a-z\\u00df-\\u00ff]{1,20}';

/**
 * What of names, addresses and diagnoses has a form: a person after a title, a house in a street, a
 * condition that somebody is said to have. A name alone has none and is not found.
 */
const rows: readonly Row[] = [
  {
    id: 'person-after-title',
    class: 'contact',
    keywords: ['mr. ', 'mr ', 'mrs', 'ms. ', 'dr. ', 'herr ', 'herrn ', 'frau ', 'patient', 'mme ', 'senor ', 'sra. '],
    expression: new RegExp(
      '(?:Mrs?|Ms|Dr|Herrn?|Frau|Mme|Senor|Sra|[Pp]atient(?:in)?)[.:]?[ ]{1,2}' +
        `(?:Dr\\. )?${capitalised}(?:[ -]${capitalised}){1,2}\\b`,
      'y',
    ),
  },
  {
    id: 'street-address',
    class: 'contact',
    keywords: [' street', ' avenue', ' road', ' lane', ' drive', ' boulevard', ' blvd', ' court', ' terrace'],
    expression: new RegExp(
      `\\b[0-9]{1,5}[A-Za-z]?,? (?:${capitalised}\\.? ){1,3}` +
        '(?:Street|Avenue|Road|Lane|Drive|Boulevard|Blvd|Court|Terrace)\\b',
    ),
    before: 40,
  },
  {
    id: 'street-address',
    class: 'contact',
    keywords: ['stra', 'str. ', 'weg ', 'platz ', 'allee ', 'gasse '],
    expression:
      /\b[A-Z\u00c4\u00d6\u00dc][a-z\u00e4\u00f6\u00fc\u00df-]{1,24}(?:stra\u00dfe|strasse|str\.|weg|platz|allee|gasse) [0-9]{1,4}[a-z]?\b/,
    before: 25,
  },
  {
    id: 'street-address',
    class: 'contact',
    keywords: [' rue ', ' calle ', ' via ', 'calle '],
    expression: new RegExp(
      `(?:\\b[0-9]{1,4}(?: bis)?,? rue (?:de |du |des |la |l'){0,2}${capitalised}|` +
        `\\b(?:[Cc]alle|[Vv]ia) (?:de |del |la |della ){0,2}${capitalised}(?: ${capitalised})?,? [0-9]{1,4}\\b)`,
    ),
    before: 10,
  },
  {
    id: 'diagnosis',
    class: 'health',
    keywords: ['diagnos', 'suffer', 'positive for', 'treated for', 'history of', 'hiv'],
    expression: new RegExp(
      (
        '(?:(?:diagnosed_(?:with|as)|diagnos[ei]s(?:_(?:is|was|of))?|diagnose|suffer(?:s|ed|ing)?_from|positive_for|' +
        `treated_for|history_of)(?:_[a-z0-9]{1,14}){0,3}_${conditions}|hiv_positive)\\b`
      ).replaceAll('_', separator),
      'iy',
    ),
  },
];

/** On the engine of the other rules; what is done with a match is a matter of the data policy. */
export const personalRules: readonly Rule[] = rows.map(({ id, keywords, expression, before = 0 }) => ({
  id: `personal/${id}`,
  code: 'SCAN_PERSONAL_DATA',
  outcome: 'ESCALATE',
  keywords,
  expression,
  before,
  wordStart: true,
  verify: null,
  otherwise: null,
  appliesToUser: true,
}));

export const classOfRule: ReadonlyMap<string, PersonalClass> = new Map(
  rows.map(({ id, class: personalClass }) => [`personal/${id}`, personalClass]),
);

const labels: { readonly [personalClass in PersonalClass]?: string } = {
  contact:
    'firstname lastname surname givenname familyname fullname patientname customername employeename maidenname ' +
    'street streetaddress homeaddress postaladdress addressline addressline1 addressline2 mailingaddress ' +
    'vorname nachname strasse anschrift prenom nomdefamille apellido apellidos domicilio direccion',
  'national-id': 'dateofbirth birthdate dob birthday geburtsdatum datedenaissance fechadenacimiento',
  health:
    'diagnosis diagnoses diagnose medicalcondition medicalhistory allergies allergy medication medications ' +
    'bloodtype prescription symptoms disability',
};

const classOfLabel: ReadonlyMap<string, PersonalClass> = new Map(
  (Object.entries(labels) as readonly [PersonalClass, string][]).flatMap(([personalClass, names]) =>
    names.split(' ').map((name) => [name, personalClass] as const),
  ),
);

/** Names of numbers that stand for one person, also of those that no check digit tells. */
const numberLabels: ReadonlySet<string> = new Set((
  'ssn socialsecurity socialsecuritynumber socialsecurityno nationalid nationalidnumber nationalinsurancenumber nino ' +
  'taxid taxidnumber taxpayerid tin itin passport passportnumber passportno driverslicense driverlicense drivinglicence ' +
  'driverslicensenumber driverlicensenumber drivinglicencenumber steuerid steueridnummer sozialversicherungsnummer ' +
  'rentenversicherungsnummer ausweisnummer reisepassnummer personnummer aadhaar aadhaarnumber cpf pesel dni bsn'
).split(' '));
/** Fewer are a yes or no, or a place in a list. */
const numberDigitsMin = 5;

const labelLengthMax = 32;
const valueLengthMax = 200;

/**
 * The class of a value by the name of the member that holds it, `patient_name` or `dateOfBirth`; null
 * where the name says nothing, or the value is no short text.
 */
export function classByName(name: string, value: string): PersonalClass | null {
  // An element of a list has a number for a name.
  if (name.length > labelLengthMax || name.charCodeAt(0) < 0x41 || value.length < 2 || value.length > valueLengthMax) return null;
  const known = classOfLabelled(name, value);
  if (known !== null || !/[A-Z_ -]/.test(name)) return known;
  return classOfLabelled(name.replaceAll(/[_ -]/g, '').toLowerCase(), value);
}

function classOfLabelled(label: string, value: string): PersonalClass | null {
  if (numberLabels.has(label) && value.replaceAll(/[^0-9]/g, '').length >= numberDigitsMin) return 'national-id';
  return classOfLabel.get(label) ?? null;
}
