/**
 * Patterns of names in scripts without capitals, by language: what announces a name or honours its bearer, and what a
 * name may look like. The group `name` is the name. Every repetition is bounded. Made for the first such text.
 */
import { once } from '../once.ts';
import { chineseSurname, japaneseSurname, koreanSurname } from './asian-surnames.ts';

export type NamePattern = {
  /** Texts without this hold no such name: a quick look before the slow one. */
  readonly needs: RegExp;
  readonly pattern: RegExp;
  readonly rank: number;
};

/** Alternatives, one or several a line. */
const lines = (text: string): string => text.trim().split(/\n\s*/).join('|');
const either = (text: string): string => `(?:${lines(text)})`;
const all = (...parts: readonly string[]): RegExp => new RegExp(parts.join(''), 'g');
const name = (pattern: string): string => `(?<name>${pattern})`;

/** Ranks. Sure: the text says that a name follows. Likely: an honorific stands behind. Weak: a surname at its place. */
const sure = 54;
const likely = 50;
const weakJapanese = 44;
const weakChinese = 40;

const han = '\\u4e00-\\u9fff\\u3400-\\u4dbf々';

function chinese(): readonly NamePattern[] {
  const surname = chineseSurname();
  const titles = '先生|女士|小姐|太太|老师|老師|经理|医生|醫生|教授|主任|同学|师傅';
  const announced = either(String.raw`
    我叫做?|我的?名字[是叫为]|我是|[他她]叫|姓名\s*[是为:：]|名字\s*[是叫:：]|联系人\s*[是为:：]?|收[件货]人\s*[是为:：]?
    客户\s*[是为:：]|患者\s*[是为:：]?|持卡人\s*[是为:：]?|户名\s*[是为:：]?|收款人\s*[是为:：]?|申请人\s*[是为:：]?
    签名\s*[:：]|聯絡人\s*[是為:：]?|收件人\s*[是為:：]?|尊敬的|亲爱的`);
  const ends = String.raw`(?=\s*(?:[,，。、：:;；]|$|的(?:电话|手机|邮箱|地址|账户|身份证)))`;
  const isGreeting = '(?<!公司|电话|邮箱|地址|你好|您好|谢谢)';
  return [
    {
      needs: /[\u4e00-\u9fff]/,
      rank: sure,
      pattern: all(announced, String.raw`\s*`, name(`${surname}[${han}·]{1,2}(?:·[${han}]{1,6})?`)),
    },
    { needs: new RegExp(titles), rank: likely, pattern: all(name(`${surname}[${han}]{0,2}`), `(?=${titles})`) },
    {
      needs: /[\u4e00-\u9fff]/,
      rank: weakChinese,
      pattern: all(`(?<![${han}ぁ-ヶー])`, name(`${surname}[${han}]{1,2}`), ends, isGreeting),
    },
  ];
}

function japanese(): readonly NamePattern[] {
  const announced = either(String.raw`
    名前は|氏名\s*[は:：]|名前\s*[:：]|私は|わたしは|僕は|担当者?\s*[は:：]|受取人\s*[は:：]?|宛名\s*[は:：]?|宛先\s*[は:：]?
    お客様名?\s*[は:：]|患者\s*[は:：]?|名義(?:人)?\s*[は:：]?|連絡先\s*[:：]`);
  const ends = String.raw`(?=です|で、|でございます|と申|といい|と言|という|が|の|に|へ|宛|さん|様|氏|[、。,.:：\s(（]|$)`;
  const honorific = '(?=さん|様|さま|氏[はがをの、]|君[はがをの、]|くん|ちゃん|殿)';
  /** `お客様`, `皆さん`, `奥様`: nobody's names. */
  const isWord = '(?<!お客|皆|神|奥|王|有|同|仕|模|多|各)';
  return [
    {
      needs: /[\u3040-\u30ff\u4e00-\u9fff]/,
      rank: sure,
      pattern: all(announced, String.raw`\s*`, name(`[${han}ァ-ヶー][${han}ぁ-んァ-ヶー 　・]{0,9}?`), ends),
    },
    {
      needs: /さん|様|さま|氏|君|くん|ちゃん|殿/,
      rank: likely,
      pattern: all(name(`(?:[${han}]{2,5}|[ァ-ヶー]{2,12})[ 　]?(?:[${han}]{1,3})?`), honorific, isWord),
    },
    {
      needs: /[\u3040-\u30ff\u4e00-\u9fff]/,
      rank: weakJapanese,
      pattern: all(
        `(?<![${han}])`,
        name(`${japaneseSurname()}[ 　]?[${han}ぁ-ん]{1,3}?`),
        String.raw`(?=[はがのをにと、。,.:：\s)）]|です|から|より|$)`,
      ),
    },
  ];
}

function korean(): readonly NamePattern[] {
  const announced = either(String.raw`
    이름은|이름이|성함은|성함\s*[:：]|성명은|이름\s*[:：]|성명\s*[:：]|(?<![가-힣])(?:저는|나는|전)(?=\s)|고객명?\s*[:：]
    수신인?\s*[:：]|수취인(?:은|\s*[:：])|예금주(?:는|\s*[:：])|담당자(?:는|\s*[:：])|환자(?:는|\s*[:：])
    보내는 ?사람\s*[:：]|받는 ?사람\s*[:：]`);
  const ends = String.raw`(?=이고|이며|입니다|이라고|라고|이에요|예요|이구요|[,.\s]|님|씨|$)`;
  const honorific = String.raw`(?=\s?(?:씨|님|고객님|과장|부장|사장|대리|선생님|교수|박사|군은|양은|귀하))`;
  /** `고객님`, `사장님`, `이모님`: nobody's names. */
  const isWord = '(?<!고객|사장|부장|과장|선생|교수|이모|고모|주인|손|하느|부모)';
  return [
    {
      needs: /[\uac00-\ud7a3]/,
      rank: sure,
      pattern: all(announced, String.raw`\s*`, name('[가-힣]{2,5}?'), ends),
    },
    {
      needs: /[\uac00-\ud7a3]/,
      rank: likely,
      pattern: all('(?<![가-힣])', name(`${koreanSurname()}[가-힣]{1,3}`), honorific, isWord),
    },
  ];
}

function arabic(): NamePattern {
  const announced = either(`
    اسمي|اسمى|إسمي|أدعى|اسمه|اسمها|السيد|السيدة|الدكتور|الدكتورة|الآنسة|الأستاذ|الأستاذة|المهندس|المهندسة
    الاسم(?: الكامل)?|العميل|العميلة|المريض|المريضة|المستلم|المستفيد|عزيزي|عزيزتي|نام من|آقای|خانم|باسم`);
  const andWords = 'رقم|هاتف|بريد|عنوان|عمر|أنا|أعمل|أسكن|أعيش|أريد|هذا|هذه|لدي|عندي|قد|لا';
  /** Words that no name holds. */
  const stops = either(String.raw`
    من|في|على|إلى|عن|مع|رقم|هو|هي|أنا|و(?:${andWords})[\u0600-\u06ff]*
    أريد|أسكن|أعيش|أعمل|لدي|عندي|هذا|هذه|كان|الذي|التي`);
  const word = String.raw`(?!${stops}(?![\u0600-\u06ff]))[\u0621-\u064a\u0670-\u06d3\u064b-\u0652]{2,14}`;
  /** A long word that begins with "and". */
  const isAnd = String.raw`(?!و[\u0621-\u064a]{4,}(?![\u0621-\u064a]))`;
  return {
    needs: /[\u0621-\u064a]/,
    rank: sure,
    pattern: all(
      String.raw`(?<![\u0621-\u064a])`,
      announced,
      String.raw`\s*[:：]?\s*(?:(?:هو|هي)\s+)?`,
      name(String.raw`${word}(?:[ \u00a0]${isAnd}${word}){0,2}`),
    ),
  };
}

function hebrew(): NamePattern {
  const announced = either(String.raw`
    שמי|קוראים לי|שמו|שמה|מר|גב['׳]|גברת|ד["״]ר|פרופ['׳]|לכבוד|שם(?: מלא)?\s*[:：]|לקוח\s*[:：]|היי|יקר[ה]?`);
  /** Words that no name holds. */
  const stops = either(`
    ומספר|וה|ואני|והטלפון|והמייל|ותעודת|ות|הוא|היא|אני|של|את|על|עם|לא|כן|גר|גרה|טלפון|מספר`);
  const rest = String.raw`[\u05d0-\u05ea]{2,12}(?:['׳"״][\u05d0-\u05ea]{0,4})?`;
  const word = String.raw`(?!${stops}[\u05d0-\u05ea]*(?![\u05d0-\u05ea]))${rest}`;
  return {
    needs: /[\u05d0-\u05ea]/,
    rank: sure,
    pattern: all(
      String.raw`(?<![\u05d0-\u05ea])`,
      announced,
      String.raw`\s*(?:הוא|היא)?\s*`,
      name(String.raw`${word}(?:[ -](?!ו[\u05d0-\u05ea]{3,})${word}){0,2}`),
    ),
  };
}

const hindi = (): NamePattern => ({
  needs: /[\u0900-\u097f]/,
  rank: sure,
  pattern: all(
    either(String.raw`मेरा नाम|नाम\s*[:：]|श्रीमती|श्री|डॉ\.?|सुश्री`),
    String.raw`\s+`,
    name(String.raw`[\u0900-\u097f]{2,15}(?: (?!है|हैं|और|का|की|के|को|से|में|ने)[\u0900-\u097f]{2,15}){0,2}`),
  ),
});

const thai = (): NamePattern => ({
  needs: /[\u0e01-\u0e4e]/,
  rank: sure,
  pattern: all(
    either(String.raw`ผมชื่อ|ฉันชื่อ|ดิฉันชื่อ|ชื่อ\s*[:：]?|นางสาว|นาย|นาง|คุณ`),
    String.raw`\s*`,
    name(String.raw`[\u0e01-\u0e4e]{2,20}(?: [\u0e01-\u0e4e]{2,20})?`),
    String.raw`(?=\s|[,.]|$)`,
  ),
});

export const uncasedPatterns = once((): readonly NamePattern[] => [
  ...chinese(),
  ...japanese(),
  ...korean(),
  arabic(),
  hebrew(),
  hindi(),
  thai(),
]);
