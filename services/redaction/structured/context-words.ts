/**
 * What the words around a number say it is, by tag: words of the languages that support desks meet, facts of language.
 * A tag makes its numbers likelier; `not`, `version` and `thing` make them less likely. National ids have a tag of
 * their own country where the word is theirs alone.
 *
 * Lower case, a blank between words, `_` for a blank inside of one. `=word` matches a whole word only; others match
 * inside compounds too (`Handynummer`).
 */
export const contextWords: Readonly<Record<string, string>> = {
  mac: `
    =mac mac_address mac-adress adresse_mac dirección_mac hwaddr bssid physical_address hardware_address
    ethernet_address`,
  phone: `
    phone =tel =tél telef teléf téléphone telephone mobil =cell cellular =call =calls =called =calling =fax
    whatsapp =sms =ring =text =dial hotline answering reach_me reach_us messages_to desk: contact handy rufen_sie
    ruf_mich anruf rückruf portable appel joindre llám llama celular =móvil =movil chiam cellulare il_mio_numero
    mi_número mon_numéro meine_nummer meu_número us_number cn_number my_number israeli_number international_one
    =ligue ligar telemóvel =bel bellen =dzwoni dzwonić zadzwoń pod_numer komórk ring_mig =nummer puhelin telefon
    =tlf =mob =ph =cep arayın numarası zavolejte volejte mobitel sunați hívjon тел звон номер
    мобил телефон τηλ κινητό 電話 电话 電話番号 手机 手機 携帯 联系 전화 연락
    휴대 هاتف رقم جوال موبايل اتصل טלפון נייד điện_thoại gọi sđt โทร
    เบอร์ फोन मोबाइल telpon nomor =hp simu`,
  card: `
    credit_card debit_card =card cards =visa mastercard =amex kreditkarte karte carte tarjeta cartão carta_di_credito
    karta =kort カード 信用卡 카드 карт بطاقة =pan =cc`,
  ssn: '=ssn =ssns social_security social_sec soc_sec seguro_social',
  birth: `
    =born birth =dob d.o.b geboren geburt =geb =né_le =née_le né(e) naissance nacid nacim nascid nascim nato_il
    nata_il nascita geboorte urodz =född =fødd =født syntym doğum narozen рожд родил народ
    γέννησ 生年月日 出生 生日 생년월일 생일 تاريخ_الميلاد مواليد
    תאריך_לידה ngày_sinh sinh_ngày วันเกิด जन्म tanggal_lahir`,
  passport: `
    passport travel_document reisepass pass-nr passnummer passeport pasaporte passaporto passaporte paspoort paszport
    pas_č pasaport =pass pas_nr číslo_pasu cestovní_pas paso_numeris pašto útlevél pașaport putovnic pasoš
    паспорт διαβατ 護照 护照 旅券 パスポート 여권 جواز דרכון hộ_chiếu
    หนังสือเดินทาง`,
  license: `
    =dl driver driving licence license führerschein permis_de_conduire licencia_de_conducir carnet_de_conducir
    permiso_de_conduc licencia_de_manejo carta_de_condução carta_de_conduç permis_de_conducere jogosítvány
    vezetői_engedély vodičsk vozačk vozniško vairuotojo vadītāja juhiluba ökuskírteini
    δίπλωμα_οδήγησης άδεια_οδήγησης шофьорск посвідчення_водія
    водійськ רישיון_נהיגה رخصة_القيادة رخصة_قيادة ใบขับขี่
    giấy_phép_lái_xe bằng_lái 駕照 運転免許 surat_izin_mengemudi patente habilitação =cnh rijbewijs
    prawo_jazdy prawa_jazdy körkort førerkort kørekort ajokortti ehliyet sürücü_belgesi řidičsk
    водительск 運転免許 驾驶证 驾照 운전면허 면허`,
  business: `
    =vat =vat_id ust-id ustid umsatzsteuer =tva =siret =siren =iva partita_iva =p.iva =cif =cnpj =ein employer_id =abn
    =acn =brn =gstin =gst =uen =btw =kvk =nip =regon orgnr org.nr organisationsn company_identity business
    handelsregister =hrb =krs =ico =ičo =dič =lanr =bsnr =огрн =кпп =едрпоу 사업자 法人番号
    统一社会信用 company_number company_reg registration_number crn =vkn`,
  crypto: `
    wallet bitcoin =btc =eth ethereum crypto litecoin =ltc monero =xmr ripple =xrp solana =sol tron =trx usdt dogecoin
    =ada address donat deposit send_to sent_to transfer_to pubkey public_key =xlm stellar =dot polkadot =algo algorand
    filecoin кошел 钱包 地址 ウォレット 지갑`,
  id: `
    national_id identity =id id_number id_no identification personal_code personal_number personal_id citizen resident
    tax_number tax_id taxpayer =tin fiscal insurance_n health medicare patient identifier ausweis identité
    sécurité_sociale identidad =cédula =cedula =identità identidade identiteit legitimation dowód tożsam
    身份证 身分證 身分証 マイナンバー 個人番号 주민 외국인등록 등록번호 هوية
    تעודת ת.ז תעודת_זהות căn_cước cccd cmnd ประจำตัว आधार =ktp =nik =mykad
    kimlik osobní rodné personnummer personnr =pnr fødselsnummer cpr-n henkilö isikukood asmens személyi
    cod_numeric егн снилс инн ідентифікац рнокпп іпн αμκα αφμ`,
  US_ITIN: '=itin',
  US_NPI: '=npi provider_id',
  US_MBI: '=mbi medicare',
  CA_SIN: '=sin =nas social_insurance assurance_sociale',
  UK_NHS: '=nhs',
  UK_NINO: '=nino national_insurance =ni_number',
  AU_TFN: '=tfn tax_file',
  AU_MEDICARE: 'medicare',
  DE_IDNR: 'steuer =idnr tax_id',
  DE_SV: 'sozialversicherung rentenversicherung =svnr =rvnr',
  DE_KV: 'krankenversich =kvnr versichertennummer health_insurance',
  FR_NIR: 'sécurité_sociale securite_sociale =nir numéro_de_sécu =insee',
  ES_DNI: '=dni =nif =nie',
  IT_CF: 'codice_fiscale =cf =c.f',
  BR_CPF: '=cpf',
  NL_BSN: '=bsn burgerservice sofinummer',
  PL_PESEL: '=pesel',
  PT_NIF: '=nif contribuinte',
  SE_PN: 'personnummer personnr =pnr swedish_id',
  FI_HETU: 'henkilö =hetu finnish_id personal_identity_code',
  NO_FNR: 'fødselsnummer =fnr',
  DK_CPR: '=cpr',
  TR_TCKN: '=tc =tckn kimlik turkish_id',
  CZ_RC: 'rodné_číslo rodné_čislo rodne_cislo r.č rodné',
  RU_INN: '=инн =inn',
  RU_SNILS: 'снилс',
  UA_RNOKPP: '=іпн рнокпп ідентифікац =инн',
  CN_RIC: '身份证 公民身份',
  KR_RRN: '=rrn 주민 =frn 외국인',
  JP_MYNUMBER: 'マイナンバー 個人番号',
  TW_ID: '身分證',
  IN_AADHAAR: 'aadhaar aadhar =uid आधार',
  IN_PAN: '=pan permanent_account',
  IN_VOTER: 'voter =epic',
  SG_NRIC: '=nric =fin',
  TH_ID: 'ประจำตัวประชาชน thai_national thai_id',
  ZA_ID: 'rsa_id south_african_id =said',
  IL_ID: 'ת.ז תעודת_זהות teudat',
  BE_NN: 'rijksregister registre_national =insz =niss',
  CH_AHV: '=ahv =avs ahv-n',
  AT_SV: 'sozialversicherung =svnr',
  IE_PPS: '=pps =ppsn',
  RO_CNP: '=cnp cod_numeric',
  BG_EGN: '=егн =egn',
  HR_OIB: '=oib',
  EE_IK: 'isikukood',
  LT_AK: 'asmens_kodas',
  MX_CURP: '=curp =rfc',
  CL_RUT: '=rut',
  AR_DNI: '=dni =cuit =cuil',
  CO_CC: 'cédula cedula',
  PH_TIN: '=bir =tin',
  ID_NIK: '=nik =ktp',
  MY_NRIC: '=mykad =ic =nric',
  VN_CCCD: '=cccd căn_cước',
  NG_NIN: '=nin',
  HK_ID: '=hkid',
  NZ_IRD: '=ird',
  PK_CNIC: '=cnic',
  GR_AMKA: 'αμκα =amka αφμ',
  ip: '=ip =ips ipv4 ipv6 address server host from',
  version: `
    version =ver =v release =build =sdk firmware =driver_v chrome firefox python =node kernel section =rfc upgrade
    semver changelog`,
  bank: 'routing =aba =rtn account_number bank_account account_no kontonummer sort_code',
  thing: `
    user_id session_id order_id product_id item_id row_id job_id task_id message_id event_id device_id request_id
    trace_id span_id tenant_id object_id post_id comment_id thread_id channel_id run_id build_id group_id category_id
    page_id node_id process_id parent_id record_id transaction_id userid orderid productid itemid sessionid`,
  not: `
    order invoice ticket =ref reference =sku =port commit trace request batch tracking serial =part model isbn issn
    =doi created timestamp epoch bestell rechnung auftrag commande facture pedido factura fattura ordine zamówien
    faktur order_id case =pid line rows bytes tokens =seed count total price amount =usd =eur =ms latency checksum
    offset transaction shipment 注文 订单 訂單 주문 заказ счет chatcmpl expires updated modified
    deploy session`,
  // Names that only the number of a person has: what stands behind one is that number, checksum or not.
  personNumber: `
    national_id national_identity identity_number identity_card identification_number citizen_id personal_code
    personal_id personal_number tax_id tax_number tax_identification taxpayer fiscal_code social_insurance
    social_security_no insurance_number =stnr steuer-id steuernummer steuernr identifikationsnummer
    sozialversicherungsnummer =svnr =vnr =ahv =nif =dni =nie =ruc =rut =rif =cuit =cuil =cui =curp =rfc =cpf =cédula
    =cedula =dui =utr =unp =idno =nipt =edb =jmbg =emšo =emso =embg =oib =kennitala personas_kods személyi_szám
    adóazonosító =taj =hetu =mst mã_số_thuế =rntrc =bir =philhealth =pagibig =psn =nin =bvn =tckn =bsn =pesel
    =cnp =egn =снилс =инн =іпн рнокпп egn =егн =αμκα =αφμ codice_fiscale numéro_fiscal
    numero_fiscal número_fiscal nº_de_contribuinte número_de_contribuinte sécurité_sociale securite_sociale =hkid
    =mykad =nric =cnic =nicop aadhaar aadhar 身份证号 身份證 เลขประจำตัว
    주민등록번호 מספר_זהות تعودת رقم_الهوية الرقم_القومي الرقم_الوطني
    کد_ملی شناسه_ملی emirates_id iqama rodné_číslo rodne_cislo číslo_op číslo_občanského
    numer_dowodu nr_dowodu cod_numeric isikukood asmens_kodas personnummer fødselsnummer fodselsnummer cpr-nummer
    cpr-nr henkilötunnus henkilotunnus burgerservicenummer rijksregisternummer numéro_national numéro_de_registre
    kimlik_no nomor_induk =nik n.º_de_identificación número_de_identificación numero_de_identificacion
    número_de_identidad documento_de_identidad carta_d'identità carta_di_identità bilhete_de_identidade
    cartão_de_cidadão cartao_de_cidadao personalausweis ausweisnummer`,
  // The same of a business.
  businessNumber: `
    =vat vat_number vat_no vat_id =tva =iva partita_iva =p.iva =btw ust-id ustid umsatzsteuer =mwst =cif =cvr orgnr
    org.nr org_nr organisationsnummer organisasjonsnummer =pib =kvk =nip =regon =krs =ičo =dič =siren =siret =ein
    =abn =acn =uen =gst =gstin =ubn 統一編號 y-tunnus ytunnus =kmkr =pvn =pvm =dph =ddv =áfa adószám =anum
    cégjegyzék =vkn =brn =cnpj =огрн =кпп =едрпоу =єдрпоу 法人番号 统一社会信用代码
    사업자등록번호 company_number company_registration company_reg business_registration business_number
    handelsregister =hrb enterprise_number ondernemingsnummer numéro_d'entreprise =duns =eori =giin pvm_kodas =afm`,
};
