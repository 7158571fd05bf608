/**
 * Most borne surnames of China, Japan and Korea, as published by the statistics offices of the countries; longest first
 * where one begins another. As sources of regular expressions, made when asked for.
 */

const words = (text: string): string => text.trim().split(/\s+/).join('|');
const letters = (text: string): string => `[${text.replaceAll(/\s+/g, '')}]`;

/** Two characters, then one; simplified, then traditional where that differs. */
export const chineseSurname = (): string =>
  `(?:${words('欧阳 上官 司马 诸葛 司徒 东方 皇甫 尉迟 公孙 慕容 令狐 夏侯')}|${letters(chinese)})`;
const chinese = `
  王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈
  姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤
  温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴
  霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦
  戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻
  苑迟邝張劉陳楊黃趙吳孫馬鄭謝許韓馮鄧葉蘇呂盧鍾譚陸`;

export const japaneseSurname = (): string => `(?:${words(japanese)})`;
const japanese = `
  佐藤 鈴木 高橋 田中 伊藤 渡辺 渡邊 渡邉 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 林
  斎藤 斉藤 清水 山崎 森 池田 橋本 阿部 石川 山下 中島 石井 小川 前田 岡田 長谷川 藤田 後藤 近藤 村上
  遠藤 青木 坂本 福田 太田 西村 藤井 岡本 金子 三浦 藤原 中野 中川 原田 松田 竹内 小野 田村 中山 和田
  石田 森田 上田 原 内田 柴田 酒井 宮崎 横山 高木 安藤 宮本 大野 小島 谷口 今井 工藤 高田 増田 丸山
  杉山 村田 大塚 新井 小山 平野 藤本 河野 上野 野口 武田 松井 千葉 菅原 岩崎 久保 木下 佐野 野村 松尾
  菊地 菊池 市川 杉本 古川 大西 島田 水野 桜井 高野 渡部 吉川 山内 西田 飯田 菅 西川 小松 北村 安田
  五十嵐 川口 平田 関 中田 久保田 服部 東 岩田 土屋 川崎 福島 本田 辻 樋口 秋山 田口 永井 山中 中西
  吉村 川上 石原 大橋 松岡 馬場 浜田 森本 星野 矢野 浅野 大内 松下 大久保 吉岡 野田 小池 荒木 熊谷 大島
  松浦 内藤`;

/** Two syllables, then one. */
export const koreanSurname = (): string => `(?:${words('남궁 황보 제갈 선우 독고')}|${letters(korean)})`;
const korean = `
  김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진지엄채원천방공현함
  변염여추도소석선설마길연위표명기반왕금옥육인맹제모탁국어은편용예경봉사부동`;
