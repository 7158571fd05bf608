/** Words that addresses are made of, in about twenty languages, by their role. */
import { rolesByHash, type RoleList } from './word-roles.ts';

export const role = {
  /** Behind the street's name, in English. */
  behind: 1,
  /** Those of them that make an address of a number and a name without any other hint. */
  sureBehind: 2,
  /** Before the street's name. */
  before: 4,
  /** Before the number of a flat, a suite or a floor. */
  flat: 8,
  /** Before the number of a house. */
  house: 16,
  /** Say that an address follows. */
  hint: 32,
  /** Small words inside names of streets and towns. */
  link: 64,
  /** Before a postal code. */
  code: 128,
  /** Between such a word and the code. */
  codeLink: 256,
  /** States of the USA, Canada and Australia, in short. */
  state: 512,
  /** Post offices of the armed forces. */
  military: 1_024,
  box: 2_048,
  corner: 4_096,
  of: 8_192,
  and: 16_384,
} as const;

const lists: readonly RoleList[] = [
  [
    role.behind,
    `street st str avenue ave av road rd lane ln drive dr boulevard blvd court ct circle cir highway hwy parkway pkwy
    place pl plaza square sq terrace ter trail trl way crescent cres close grove gardens garden mews row walk alley
    loop pike turnpike expressway freeway route ridge knoll knolls gateway heights meadow meadows plains point pines
    orchard hollow junction landing manor mill mission motorway neck oval overpass park passage path plain ramp ranch
    rapid rest rue run shoal shoals shore shores spring springs spur station stravenue stream summit throughway trace
    track trafficway tunnel underpass union valley via viaduct view village ville vista wall wells nagar marg salai
    chowk bridge brook burg bypass camp canyon cape causeway center cliff cliffs club common corner course cove creek
    crest crossing curve dale dam divide estate estates extension fall falls ferry field fields flat flats ford forest
    forge fork fort glen green harbor haven hill hills inlet island isle key lake light lights lock lodge`,
  ],
  [
    role.sureBehind,
    `street st avenue ave road rd lane ln drive boulevard blvd court circle highway hwy parkway pkwy terrace crescent
    turnpike expressway freeway mews nagar marg`,
  ],
  [
    role.before,
    `ul ulica ulicy aleja aleje al os osiedle plac rua travessa alameda avenida avda calle paseo carrera camino plaza
    praça largo via viale piazza piazzale corso vicolo strada rue avenue boulevard chemin allée impasse quai place
    cours вул вулиця ул улица проспект пр просп переулок пер бульвар площадь площа пл провулок пров шоссе набережная
    наб тупик майдан майдана trg cesta ulice třída náměstí jalan jl đường phố strasse calea bulevardul strada
    šetaliste`,
  ],
  [
    role.flat,
    `apt apartment suite ste unit flat room floor appartement apartamento piso wohnung lägenhet lejlighed кв квартира
    офис оф`,
  ],
  [role.house, 'no nr num número numero n dom д дом буд будинок bldg building block'],
  [
    role.hint,
    `address addresses adresse anschrift dirección direccion domicilio endereço morada indirizzo adres adrese adresa
    adress osoite adresim cím адрес адреса deliver delivered delivery ship shipped shipping mail mailed send sent
    residence residing reside lives live located billing wohnhaft wohne habite vivo abito moro bor bo mieszkam bydlím
    проживает доставить доставка надіслати liefern livrer enviar spedire entregar meet corner`,
  ],
  [role.link, `do dos des dei degli delle della of auf am im an na nad pod sur sous les los las and the und vor bei`],
  [
    role.code,
    `zip zipcode postcode postal plz postleitzahl cap cep cp pin pincode индекс індекс postnummer postcode psč
    irányítószám`,
  ],
  [role.codeLink, 'code codes código codigo number is de ist est es è to the my'],
  [
    role.state,
    `al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa
    ri sc sd tn tx ut vt va wa wv wi wy dc pr vi gu aa ae ap on qc bc ab mb sk ns nb nl pe nsw vic qld tas act sa nt`,
  ],
  [role.military, 'apo fpo dpo psc'],
  [role.box, 'box'],
  [role.corner, 'corner'],
  [role.of, 'of'],
  [role.and, 'and'],
];

/** Words that may begin anything in an address. */
const beginning = role.before | role.flat | role.hint | role.code | role.state | role.military | role.box | role.corner;
const sieveCells = 8_192;
/** The cell of a word in the sieve. */
export const sieveCell = (hash: number): number => hash & (sieveCells - 1);

let roles: ReadonlyMap<number, number> | undefined;
let sieve: Uint8Array | undefined;

/** A word's roles as bits. The lists are hashed for the first text. */
export function roleOf(hash: number): number {
  roles ??= rolesByHash(lists);
  return roles.get(hash) ?? 0;
}

/** 1 in the cell of every word that may begin something: most words of prose are dismissed by one look. */
export function beginningSieve(): Uint8Array {
  if (sieve !== undefined) return sieve;
  roles ??= rolesByHash(lists);
  sieve = new Uint8Array(sieveCells);
  for (const [hash, bits] of roles) if ((bits & beginning) !== 0) sieve[sieveCell(hash)] = 1;
  return sieve;
}
