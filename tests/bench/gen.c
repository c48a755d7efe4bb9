/*
 * gen.c - customers-N.tsv, edits-N.tsv and edits2-N.tsv, the same bytes for
 * the same N everywhere.
 *
 * The values look like a seller's: few provinces, many names, notes written
 * from the phrases people repeat. Random letters would make every compressor
 * look bad, one repeated note would make it look too good.
 */
#include "tests/bench/bench.h"
#include "tests/lib/rand.h"

#define REMARK 10
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const char *const surnames[] = { "王", "李", "张", "刘", "陈", "杨", "赵",
	"黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "马",
	"罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧" };
static const char *const given[] = { "伟", "芳", "娜", "敏", "静", "丽", "强",
	"磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "霞", "平",
	"刚", "桂英", "建国", "志强", "秀英", "海燕", "晓东", "文博", "雨桐" };
static const char *const places[][2] = { { "浙江省", "杭州市" },
	{ "浙江省", "宁波市" }, { "江苏省", "南京市" }, { "江苏省", "苏州市" },
	{ "广东省", "广州市" }, { "广东省", "深圳市" }, { "广东省", "佛山市" },
	{ "四川省", "成都市" }, { "湖北省", "武汉市" }, { "湖南省", "长沙市" },
	{ "山东省", "青岛市" }, { "山东省", "济南市" }, { "福建省", "厦门市" },
	{ "河南省", "郑州市" }, { "陕西省", "西安市" }, { "上海市", "浦东新区" },
	{ "北京市", "朝阳区" }, { "重庆市", "渝北区" }, { "辽宁省", "大连市" } };
static const char *const words[] = { "华", "盛", "鼎", "恒", "信", "达", "润",
	"泰", "兴", "隆", "瑞", "通", "锦", "源", "博", "创", "新", "科", "联",
	"诚", "远", "方", "海", "天", "宏", "图", "安", "捷" };
static const char *const trades[] = { "机械", "电子", "食品", "建材", "化工",
	"物流", "纺织", "医药", "环保", "家具", "软件", "贸易", "餐饮", "汽配" };
static const char *const roads[] = { "人民路", "解放路", "中山路", "建设大道",
	"科技园路", "滨江大道", "工业三路", "文化街", "新华路", "创业路" };
static const char *const sources[] = { "展会", "老客户介绍", "网站", "电话",
	"地推", "公众号", "短视频", "行业协会" };
static const char *const grades[] = { "A", "B", "C", "D" };
static const char *const phrases[] = { "客户对价格比较敏感", "希望先试用一个月",
	"采购由财务部门统一审批", "上次拜访时谈到付款周期", "仓库在城北",
	"竞争对手报价更低", "需要补充资质文件", "对售后响应时间有要求",
	"负责人下周出差", "合同预计本季度签订", "样品已经寄出", "等待总部批复",
	"要求开增值税专用发票", "产品规格需要重新确认", "建议安排技术人员上门",
	"曾经与我们合作过两年", "年底前完成验收", "预算还没有最后确定",
	"关注交货期", "老板比较看重口碑", "对方提出分三次付款", "可以介绍同行",
	"电话里态度积极", "去年的设备需要更换", "希望增加培训内容",
	"目前使用的系统不稳定", "计划在外地开分公司", "联系人最近换了岗位" };

/* Keys of the columns; the reader knows others too. */
static const char *const columns[BENCH_FIELDS] = { "name", "contact", "phone",
	"email", "province", "city", "address", "industry", "source", "grade",
	"remark", "amount", "created_on", "visited_on", "follow_on" };

static unsigned
upto(uint64_t *s, unsigned n)
{
	return (unsigned)(sat_test_rand(s) >> 33) % n;
}

#define PICK(s, list) (list)[upto((s), (unsigned)COUNT(list))]

/* 185 to 230 bytes; the cut between characters takes up to three. */
static void
put_note(sat_buf *b, uint64_t *s)
{
	size_t start = b->n, want = 188 + upto(s, 43);

	while (b->n - start < want) {
		sat_buf_str(b, PICK(s, phrases));
		if (upto(s, 3) == 0)
			sat_buf_fmt(b, "%u", upto(s, 100));
		sat_buf_str(b, upto(s, 2) ? "，" : "。");
	}
	b->n = start + want;
	while ((b->p[b->n] & 0xc0) == 0x80)
		b->n--;
}

static void
put_field(sat_buf *b, size_t f, uint64_t *s)
{
	unsigned place = upto(s, COUNT(places));

	switch (f) {
	case 0:
		sat_buf_fmt(b, "%s%s%s%s有限公司", places[place][1],
		    PICK(s, words), PICK(s, words), PICK(s, trades));
		break;
	case 1:
		sat_buf_fmt(b, "%s%s", PICK(s, surnames), PICK(s, given));
		break;
	case 2:
		sat_buf_fmt(b, "1%u%09u", 3 + upto(s, 7),
		    upto(s, 1000000000));
		break;
	case 3:
		sat_buf_fmt(b, "u%06x@example.com", upto(s, 1 << 24));
		break;
	case 4:
	case 5:
		sat_buf_str(b, places[place][f - 4]);
		break;
	case 6:
		sat_buf_fmt(b, "%s%u号%u室", PICK(s, roads), 1 + upto(s, 999),
		    101 + upto(s, 2000));
		break;
	case 7:
		sat_buf_str(b, PICK(s, trades));
		break;
	case 8:
		sat_buf_str(b, PICK(s, sources));
		break;
	case 9:
		sat_buf_str(b, PICK(s, grades));
		break;
	case 10:
		put_note(b, s);
		break;
	case 11:
		sat_buf_fmt(b, "%u.%02u", 100 + upto(s, 5000000), upto(s, 100));
		break;
	default:
		sat_buf_fmt(b, "202%u-%02u-%02u", upto(s, 7), 1 + upto(s, 12),
		    1 + upto(s, 28));
	}
}

static FILE *
create(const char *dir, const char *what, size_t n)
{
	char *path = sat_xasprintf("%s/%s-%zu.tsv", dir, what, n);
	FILE *f = fopen(path, "we");

	if (f == NULL)
		bench_die("cannot write %s", path);
	free(path);
	return f;
}

static void
put(FILE *f, sat_buf *b)
{
	if (fwrite(b->p, 1, b->n, f) != b->n)
		bench_die("cannot write the generated rows");
	sat_buf_reset(b);
}

/* A new name, phone, amount or date; now and then a whole note. */
static void
gen_edits(const char *dir, const char *what, size_t n, const sat_id *ids,
    uint64_t seed)
{
	FILE *f = create(dir, what, n);
	char id[SAT_ID_TEXT];
	sat_buf b = { 0 };

	sat_buf_str(&b, "id\tfield\tvalue\n");
	for (size_t i = 0; i < BENCH_EDITS; i++) {
		size_t row = (size_t)(sat_test_rand(&seed) % n);
		unsigned field = upto(&seed, BENCH_FIELDS - 1);

		if (field >= REMARK)
			field++;
		if (upto(&seed, 25) == 0)
			field = REMARK;
		sat_id_text(id, &ids[row]);
		sat_buf_fmt(&b, "%s\t%s\t", id, columns[field]);
		put_field(&b, field, &seed);
		sat_buf_str(&b, "\n");
		put(f, &b);
	}
	sat_buf_fini(&b);
	if (fclose(f) != 0)
		bench_die("cannot write the generated edits");
}

void
bench_gen(const char *dir, size_t n)
{
	uint64_t seed = 20261121 + n;
	int64_t ms = 1704067200000; /* 2024-01-01 */
	sat_id *ids = sat_xcalloc(n, sizeof *ids);
	char id[SAT_ID_TEXT];
	uint8_t random[8];
	sat_buf b = { 0 };
	FILE *f;

	bench_mkdir(dir);
	f = create(dir, "customers", n);
	sat_buf_str(&b, "id");
	for (size_t i = 0; i < BENCH_FIELDS; i++)
		sat_buf_fmt(&b, "\t%s", columns[i]);
	sat_buf_str(&b, "\n");
	for (size_t i = 0; i < n; i++) {
		uint64_t r = sat_test_rand(&seed);

		memcpy(random, &r, sizeof random);
		ms += 1 + upto(&seed, 600000);
		ids[i] = sat_id_make(ms, 7, random);
		sat_id_text(id, &ids[i]);
		sat_buf_str(&b, id);
		for (size_t c = 0; c < BENCH_FIELDS; c++) {
			sat_buf_str(&b, "\t");
			put_field(&b, c, &seed);
		}
		sat_buf_str(&b, "\n");
		put(f, &b);
	}
	sat_buf_fini(&b);
	if (fclose(f) != 0)
		bench_die("cannot write the generated rows");
	gen_edits(dir, "edits", n, ids, seed + 1);
	gen_edits(dir, "edits2", n, ids, seed + 2);
	free(ids);
}
