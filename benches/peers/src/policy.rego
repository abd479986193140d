package hall

import rego.v1

agents contains i if {
	some i, a in data.agents
	a.cpus >= data.need.cpus
	a.mem >= data.need.mem
	a.disk >= data.need.disk
	a.ports >= data.need.ports
	a.region in data.need.regions
}

pools contains j if {
	some j, p in data.pools
	p.size >= data.need.size
	p.iops >= data.need.iops
	p.media == data.need.media
	p.replicas >= data.need.replicas
}

driver_fits(a, p) if p.driver == ""

driver_fits(a, p) if p.driver in a.drivers

vlan_fits(a, p) if p.vlan == 0

vlan_fits(a, p) if p.vlan == a.vlan

pairs contains [i, j] if {
	some i in agents
	a := data.agents[i]
	some j in pools
	p := data.pools[j]
	a.region == p.region
	a.net >= p.net
	driver_fits(a, p)
	vlan_fits(a, p)
}
