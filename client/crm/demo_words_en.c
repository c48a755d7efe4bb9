/*
 * The same company in English: what stands in demo_words.c, in the same order.
 */
#include "client/crm/demo_int.h"

static const char *const trade_c35[DEMO_TRADES] = { "Precision Machinery",
	"Automation", "Smart Equipment", "Hydraulics", "Drive Systems",
	"Machine Tools" };
static const char *const goods_c35[DEMO_GOODS] = { "CNC machine tool",
	"Conveyor line", "Industrial robot cell", "Hydraulic station",
	"Yearly maintenance of equipment" };
static const char *const trade_i65[DEMO_TRADES] = { "Software",
	"Information Technology", "Data Technology", "Network Technology",
	"Cloud Computing", "Intelligent Systems" };
static const char *const goods_i65[DEMO_GOODS] = { "Custom software",
	"Data platform", "Private cloud", "System integration",
	"Yearly operation" };
static const char *const trade_f52[DEMO_TRADES] = { "Trading",
	"Department Stores", "Supermarkets", "Foods", "E-commerce",
	"Home Furnishing" };
static const char *const goods_f52[DEMO_GOODS] = { "Store displays",
	"Point of sale system", "Members' app", "Cold chain delivery",
	"Gift boxes for Spring Festival" };
static const char *const trade_p83[DEMO_TRADES] = { "Education Technology",
	"Training School", "Vocational Education", "Culture and Media",
	"Language School", "Education Consulting" };
static const char *const goods_p83[DEMO_GOODS] = { "In-house training",
	"Online course platform", "Smart classroom", "Custom textbooks",
	"Certification of teachers" };
static const char *const trade_q84[DEMO_TRADES] = { "Medical Devices",
	"Pharmaceuticals", "Health Management", "Dental Hospital",
	"Check-up Centre", "Biotechnology" };
static const char *const goods_q84[DEMO_GOODS] = { "Imaging equipment",
	"Test reagents", "Hospital information system",
	"Rehabilitation devices", "Check-up packages" };

static const demo_industry industries[DEMO_INDUSTRIES] = {
	{ "C35", "Machinery", trade_c35, goods_c35, "Manufacturing" },
	{ "I65", "Business services", trade_i65, goods_i65, "Software" },
	{ "F52", "Retail chains", trade_f52, goods_f52, "Retail" },
	{ "P83", "Vocational training", trade_p83, goods_p83, "Education" },
	{ "Q84", "Health care", trade_q84, goods_q84, "Health" },
};

static const demo_place places[DEMO_PLACES] = {
	{ "Shanghai", "Shanghai", "Shanghai", "Pudong", "Zhangjiang Road" },
	{ "Beijing", "Beijing", "Beijing", "Haidian", "Zhongguancun Street" },
	{ "Guangdong", "Shenzhen", "Shenzhen", "Nanshan", "Science Park Road" },
	{ "Guangdong", "Guangzhou", "Guangzhou", "Tianhe", "Tianhe Road" },
	{ "Guangdong", "Dongguan", "Dongguan",
	    "Songshan Lake", "Industry North Road" },
	{ "Guangdong", "Foshan", "Foshan", "Shunde", "Daliang Road" },
	{ "Zhejiang", "Hangzhou", "Hangzhou", "Yuhang", "Wenyi West Road" },
	{ "Zhejiang", "Ningbo", "Ningbo", "Yinzhou", "Jingjia Road" },
	{ "Zhejiang", "Taizhou", "Taizhou", "Jiaojiang", "Shifu Avenue" },
	{ "Jiangsu", "Suzhou", "Suzhou", "Industrial Park", "Xinghu Street" },
	{ "Jiangsu", "Nanjing", "Nanjing", "Jiangning", "Shengtai Road" },
	{ "Jiangsu", "Wuxi", "Wuxi", "Xinwu", "Taihu Avenue" },
	{ "Chongqing", "Chongqing", "Chongqing", "Yubei", "Jinkai Avenue" },
	{ "Sichuan", "Chengdu", "Chengdu", "High-tech Zone", "Tianfu Avenue" },
	{ "Hubei", "Wuhan", "Wuhan", "Hongshan", "Optics Valley Avenue" },
	{ "Hunan", "Changsha", "Changsha", "Yuelu", "Lugu Avenue" },
	{ "Anhui", "Hefei", "Hefei", "Shushan", "Innovation Avenue" },
	{ "Shandong", "Qingdao", "Qingdao", "Laoshan", "Songling Road" },
	{ "Shandong", "Jinan", "Jinan", "Lixia", "Jingshi Road" },
	{ "Shaanxi", "Xi'an", "Xi'an", "Yanta", "Keji Road" },
	{ "Henan", "Zhengzhou", "Zhengzhou", "Jinshui", "Nongye Road" },
	{ "Fujian", "Xiamen", "Xiamen", "Siming", "Software Park Road" },
	{ "Liaoning", "Shenyang", "Shenyang", "Hunnan", "Chuangxin Road" },
	{ "Tianjin", "Tianjin", "Tianjin", "Binhai", "Dongting Road" },
};

static const char *const brand_a[DEMO_BRANDS] = { "Cloud", "Amber", "Cedar",
	"Bright", "Grand", "Lotus", "Star", "Ocean", "Gold", "Atlas", "Broad",
	"Prime", "Summit", "Origin", "Far", "Peak", "Noble", "Victor",
	"Sharp", "Sky", "River", "Rain", "Dawn", "Clear", "Sail", "True",
	"North", "First", "Maker", "Orchid", "Force", "Light" };
static const char *const brand_b[DEMO_BRANDS] = { "Harbor", "Trust", "Reach",
	"Stone", "Link", "Spring", "Field", "Wing", "Rise", "Forge", "Works",
	"Bridge", "Swift", "Gate", "Marsh", "Roof", "Gain", "Craft", "Ridge",
	"Chart", "Haven", "Mind", "Grain", "Forest", "Nation", "Cross",
	"Path", "Stream", "Flight", "Grove", "Mile", "Vision" };

static const char *const surnames[DEMO_SURNAMES] = { "Wang", "Li", "Zhang",
	"Liu", "Chen", "Yang", "Zhao", "Huang", "Zhou", "Wu", "Xu", "Sun",
	"Hu", "Zhu", "Gao", "Lin", "He", "Guo", "Ma", "Luo", "Liang", "Song",
	"Zheng", "Xie", "Han", "Tang", "Feng", "Yu", "Dong", "Xiao", "Cheng",
	"Cao", "Yuan", "Deng", "Xue", "Fu", "Shen", "Zeng", "Peng", "Lyu",
	"Shan", "Qiu", "Jie", "Ren", "Zha", "Ou", "Ouyang", "Yuchi" };
static const char *const given[DEMO_GIVEN] = { "Wei", "Fang", "Na", "Min",
	"Jing", "Li", "Qiang", "Lei", "Jun", "Yang", "Yong", "Yan", "Jie",
	"Juan", "Tao", "Ming", "Chao", "Xiuying", "Xia", "Ping", "Jianguo",
	"Zhiqiang", "Xiaoyan", "Haiyan", "Jianhua", "Wenbo", "Zihan",
	"Siyuan", "Yutong", "Haoran", "Xinyi", "Junjie", "Jiaqi", "Yuxuan",
	"Zixuan", "Lixin", "Guodong", "Yating", "Chunmei", "Zhenhua" };

static const char *titles[6][2] = {
	{ "General manager", "Management" },
	{ "Purchasing manager", "Purchasing" },
	{ "Technical director", "Technology" },
	{ "Finance lead", "Finance" },
	{ "Office manager", "Administration" },
	{ "Project manager", "Projects" },
};

static const char *talk[DEMO_STEPS][DEMO_TALKS][3] = {
	{
		{ "Called to introduce us; agreed to send material",
		    "Willing to read it first", "Call back in three days" },
		{ "Exchanged cards at the fair, heard about their business",
		    "Interested in cases of the trade", "Send cases and arrange a call" },
		{ "Called twice, no answer; left a message",
		    "", "Try at another time" },
		{ "Connected on WeChat, sent the company profile",
		    "Read it, no answer yet", "Get in touch next week" },
	},
	{
		{ "Visited, understood the present state and the pain, wrote down needs",
		    "Data are not uniform, to be brought together", "Write up the confirmation of needs" },
		{ "Confirmed parameters and quantity with the technical lead",
		    "Wants to decide this quarter", "Make a first proposal" },
		{ "Asked about budget and who decides",
		    "The general manager has to approve the budget", "Arrange to meet who decides" },
		{ "Showed the product in a video meeting",
		    "Liked it, to be discussed inside", "Ask for the outcome in a week" },
	},
	{
		{ "Presented the first version of the proposal",
		    "The budget has to be adjusted", "Change it as asked" },
		{ "Discussed schedule and limits of delivery",
		    "Wants two months at most", "Estimate the time inside" },
		{ "Technical meeting about interfaces",
		    "No objection from the technical side", "Send the quotation" },
		{ "Sent the changed proposal",
		    "Passed on to purchasing", "Ask what purchasing thinks" },
	},
	{
		{ "Negotiated terms of payment",
		    "Asks for three instalments", "Ask for approval of the terms" },
		{ "Confirmed final price and discount",
		    "Still dearer than a competitor", "The manager joins the next round" },
		{ "Went through the contract clause by clause",
		    "Their lawyers are reading", "Follow up with the lawyers" },
		{ "Invited them to a reference customer",
		    "Convinced of our service", "Agree on a day to sign" },
	},
	{
		{ "Signed, handed over to delivery",
		    "Looking forward to a quick start", "Prepare the kick-off" },
		{ "First payment arrived, delivery plan confirmed",
		    "Satisfied", "Report progress every week" },
		{ "Kick-off: who speaks for each side",
		    "Works well together", "Send the plan of milestones" },
		{ "Goods received and accepted in writing",
		    "Some details to be adjusted", "Send an engineer" },
	},
	{
		{ "Quarterly call: how is it used",
		    "Stable; two suggestions", "Pass them on to product" },
		{ "Solved a problem remotely",
		    "Answered quickly", "Call again in a month" },
		{ "Introduced the new version and an offer to extend",
		    "Considers it, needs a quotation", "Send the quotation" },
		{ "Talked about renewal and scope",
		    "Agrees to renew", "Prepare the renewal" },
	},
};

const demo_words demo_words_en = {
	.mark = "demo", .remark = "demonstration data, no real customer",
	.org = "Farway Technology (demonstration)", .me = "Demo user",
	.device = "Demo device", .teams = { "East", "South", "Centre and West" },
	.managers = { "Lin Xiaofeng", "He Yaqin", "Luo Zhiyuan" },
	.reps = { "Chen Siyuan", "Wang Haiyan", "Li Junjie", "Zhang Xinyi",
	    "Liu Haoran", "Zhao Yutong", "Zhou Wenbo", "Wu Jiaqi", "Sun Lixin" },
	.industries = industries, .places = places, .brand_a = brand_a,
	.brand_b = brand_b, .surnames = surnames, .given = given,
	.titles = titles, .talk = talk, .person = "{a} {b}",
	.brand = "{a} {b}", .company = "{a} {b}", .of_trade = "{a} {b}",
	.endings = { " Co., Ltd.", " Inc." },
	.fair = "{a} fair ({b})", .need = "Needs: {a}, to work with what they have",
	.project = "{a}, {b}", .address = "{b} {a}",
	.detail = "{a}, to be bought this year", .branch = "{a} (formerly {b} branch)",
	.trader = "{b} Trading House {a}", .ticket = "A question about use after delivery",
	.other_contact = "Ouyang Wenbo",
};
